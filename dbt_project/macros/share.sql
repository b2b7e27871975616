{#- part of whole as a number in 0..1; NULL where the whole is 0 or unknown. -#}
{% macro share(part, whole) -%}
    round(cast({{ part }} as double) / nullif({{ whole }}, 0), 4)
{%- endmacro %}
