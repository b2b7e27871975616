{#- In each row the column equals the sum of `parts`: nothing falls between the classes. -#}
{% test adds_up_to(model, column_name, parts) %}
select *
from {{ model }}
where {{ column_name }} <> {{ parts | join(' + ') }}
{% endtest %}
