{#- No two rows share the values of `columns`: the model's grain. -#}
{% test unique_together(model, columns) %}
select {{ columns | join(', ') }}, count(*) as found
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
