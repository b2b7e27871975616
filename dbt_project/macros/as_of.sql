{#-
    The moment the marts speak of, as a naive UTC timestamp: FUNDINGSCOUT_AS_OF when stated (a replay, a test),
    else the start of this run. Models ask for it here and never for current_timestamp, so that all of one build
    agree and a build can be repeated. The variable is read when a model is compiled and not when it is parsed:
    dbt parses anew whatever read a variable that has another value since.
-#}
{% macro as_of() -%}
    {%- set stated = env_var("FUNDINGSCOUT_AS_OF", "") if execute else "" -%}
    cast('{{ stated or run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}' as timestamp)
{%- endmacro %}
