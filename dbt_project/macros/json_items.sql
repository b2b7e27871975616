{#- How many items a JSON list, or keys a JSON object, has; 0 for NULL and for anything else. -#}
{% macro json_items(value) -%}
    cast(
        case json_type(cast({{ value }} as json))
            when 'ARRAY' then json_array_length(cast({{ value }} as json))
            when 'OBJECT' then len(json_keys(cast({{ value }} as json)))
            else 0
        end as bigint
    )
{%- endmacro %}
