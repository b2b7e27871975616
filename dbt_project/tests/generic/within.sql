{#- The column lies in low..high where it is known; either end may be left out. -#}
{% test within(model, column_name, low=none, high=none) %}
select *
from {{ model }}
where false
    {% if low is not none %}or {{ column_name }} < {{ low }}{% endif %}
    {% if high is not none %}or {{ column_name }} > {{ high }}{% endif %}
{% endtest %}
