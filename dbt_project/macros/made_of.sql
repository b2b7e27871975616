{#-
    Marts that are made anew row by row. Such a model carries `made_of`, a number that changes with whatever a row is made of, and
    is given the number of each row as it should be now (a model with the key and `made_of`). What is no longer so is deleted by
    the model's pre-hook, and the model then adds what is missing: rows that are new, have changed, or have gone come out as in a
    full build, whoever changed them and whenever. No mark says what was changed, so none can be forgotten.
-#}

{#- One number of all given columns or rows. It is compared with itself only, never across versions of the database. -#}
{% macro made_of(parts) -%}
    cast(hash({{ parts | join(', ') }}) >> 1 as bigint)
{%- endmacro %}

{#- The pre-hook: deletes what has changed or gone. Nothing in a full build. -#}
{% macro delete_what_is_no_longer_so(key, now) -%}
    {% if is_incremental() -%}
        delete from {{ this }}
        where ({{ key }}, made_of) not in (select {{ key }}, made_of from {{ now }})
    {%- endif %}
{%- endmacro %}

{#- The rows to make, after it: all in a full build. -#}
{% macro rows_to_make(key, now) -%}
    select {{ key }}, made_of
    from {{ now }}
    {% if is_incremental() -%}
        where {{ key }} not in (select {{ key }} from {{ this }})
    {%- endif %}
{%- endmacro %}

{#- Each match with one number of its own row and of all attempts to tell of it: a sum, because their order says nothing. -#}
{% macro matches_now() -%}
    (
        select matches.match_id, {{ made_of(['matches.of_match', 'attempts.of_attempts']) }} as made_of
        from (select match_id, hash(source) as of_match from {{ ref('stg_matches') }} as source) as matches
        left join (
            select match_id, sum(hash(source)) as of_attempts
            from {{ ref('stg_webhook_attempts') }} as source
            group by match_id
        ) as attempts on matches.match_id = attempts.match_id
    )
{%- endmacro %}
