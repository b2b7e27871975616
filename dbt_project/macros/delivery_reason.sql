{#- Why a match's delivery is where it is, in words that an analyst can act on; NULL for what was delivered. -#}
{% macro delivery_reason(outcomes) -%}
    case {{ outcomes }}.delivery_status
        when 'failed' then concat_ws(
            ': ',
            {{ outcomes }}.error_class,
            coalesce({{ outcomes }}.attempt_error, nullif({{ outcomes }}.response_excerpt, ''))
        )
        when 'held' then 'found by a backfill that was not asked to deliver; fundingscout deliveries release sends it'
        when 'no_webhook' then 'the organization has registered no webhook; its match feed shows it'
        when 'pending' then 'not sent yet'
    end
{%- endmacro %}
