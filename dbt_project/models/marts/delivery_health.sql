with attempts as (

    select
        *,
        -- Only what was sent as news says how fast news travels: a backfill or a replay is late on purpose.
        case
            when attempt_trigger = 'live' then date_diff('millisecond', document_landed_at, started_at) / 1000.0
        end as seconds_to_send
    from {{ ref('stg_webhook_attempts') }}
    where attempt_number > 0 and endpoint_host is not null and attempt_status in ('delivered', 'failed')

)

select
    started_date as day,
    endpoint_host,
    count(distinct organization_id) as organizations,
    count(*) as attempts,
    count(*) filter (where attempt_status = 'delivered') as delivered,
    count(*) filter (where attempt_status = 'failed') as failed,
    count(*) filter (where attempt_status = 'failed' and error_class = 'timeout') as failed_timeout,
    count(*) filter (where attempt_status = 'failed' and error_class in ('dns', 'connect', 'tls')) as failed_connection,
    count(*) filter (where attempt_status = 'failed' and error_class = 'refused_address') as failed_refused_address,
    count(*) filter (where attempt_status = 'failed' and error_class = 'redirect') as failed_redirect,
    count(*) filter (where attempt_status = 'failed' and error_class = 'http_4xx') as failed_http_4xx,
    count(*) filter (where attempt_status = 'failed' and error_class = 'http_5xx') as failed_http_5xx,
    count(*) filter (where attempt_status = 'failed' and error_class = 'unknown_outcome') as failed_unknown_outcome,
    count(*) filter (
        where attempt_status = 'failed'
        and coalesce(error_class, '') not in (
            'timeout', 'dns', 'connect', 'tls', 'refused_address', 'redirect', 'http_4xx', 'http_5xx', 'unknown_outcome'
        )
    ) as failed_other,
    {{ share("count(*) filter (where attempt_status = 'delivered')", 'count(*)') }} as share_delivered,
    round(quantile_cont(duration_ms, 0.5), 1) as duration_p50_ms,
    round(quantile_cont(duration_ms, 0.95), 1) as duration_p95_ms,
    round(quantile_cont(cast(seconds_to_send as double), 0.5), 3) as landed_to_sent_p50_seconds,
    round(quantile_cont(cast(seconds_to_send as double), 0.95), 3) as landed_to_sent_p95_seconds
from attempts
group by started_date, endpoint_host
