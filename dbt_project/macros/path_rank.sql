{#- The precedence of a match path, 1 first: account_domain, email_domain, account_name (FSV-9). -#}
{% macro path_rank(match_type) -%}
    case {{ match_type }} when 'account_domain' then 1 when 'email_domain' then 2 else 3 end
{%- endmacro %}
