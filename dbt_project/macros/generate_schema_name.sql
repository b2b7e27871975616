{#- Schemas are named as the layers are, without a prefix: analysts write `marts.delivery_health`. -#}
{% macro generate_schema_name(custom_schema_name, node) -%}
    {{ (custom_schema_name or target.schema) | trim }}
{%- endmacro %}
