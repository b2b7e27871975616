{#- The lower-case host of a URL, without user, port and path; NULL where there is none. Paths and users may hold secrets. -#}
{% macro url_host(url) -%}
    nullif(
        lower(regexp_extract({{ url }}, '^[A-Za-z][A-Za-z0-9+.-]*://(?:[^/?#@]*@)?(\[[^\]/?#]*\]|[^:/?#]*)', 1)), ''
    )
{%- endmacro %}
