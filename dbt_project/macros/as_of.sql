{#-
    The moment the marts speak of, as a naive UTC timestamp: FUNDINGSCOUT_AS_OF when stated (a replay, a test),
    else the start of this run. Models ask for it here and never for current_timestamp, so that all of one build
    agree and a build can be repeated.
-#}
{% macro as_of() -%}
    cast('{{ env_var("FUNDINGSCOUT_AS_OF", "") or run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp)
{%- endmacro %}
