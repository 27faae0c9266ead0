{{/*
The configuration file of a service: what the chart knows, under what the service's block says. Keys that do not exist are
refused by the service itself, in the migration's Job before anything changes.
*/}}
{{- define "dudao.config" -}}
{{- $v := .root.Values }}{{ $service := .service }}{{ $name := $service.name -}}
{{- $portal := printf "https://%s" $v.hosts.portal -}}
{{- $console := printf "https://%s" $v.hosts.console -}}
{{- $rulebook := "/usr/share/dudao/rulebook" -}}
{{- /* Pods get another address with each start. Only the gateway, and the console, can reach those who believe X-Forwarded-For
       (NetworkPolicies), so all private networks may be believed. */}}
{{- $proxies := list "10.0.0.0/8" "172.16.0.0/12" "192.168.0.0/16" "100.64.0.0/10" "fc00::/7" -}}
{{- $c := dict
  "http" (dict "listen" "0.0.0.0:8080" "operations_listen" "0.0.0.0:9090" "drain_seconds" (int $service.drainSeconds))
  "telemetry" (dict "log_level" $v.telemetry.logLevel "trace_ratio" $v.telemetry.traceRatio) -}}
{{- with $v.telemetry.otlpEndpoint }}{{ $_ := set $c.telemetry "otlp_endpoint" . }}{{ end -}}
{{- if ne $name "console" }}{{ $_ := set $c "access" (dict "public_keys" "/etc/dudao/keys") }}{{ end -}}
{{- if $service.is.database -}}
{{- $_ := set $c "database" (dict "host" $v.database.host "port" (int $v.database.port) "name" $name "user" $name
    "password_file" "/run/secrets/dudao/database-password") -}}
{{- if $v.database.authoritySecret }}{{ $_ := set $c.database "authority_file" "/run/secrets/dudao/database-ca.crt" }}{{ end -}}
{{- $broker := include "dudao.broker" .root | fromYaml -}}
{{- $_ := set $c "broker" (merge (dict "replicas" (int $v.broker.replicas)) $broker) -}}
{{- $_ := set $c "journal" (dict "signing_key_file" "/run/secrets/dudao/journal-key") -}}
{{- with $v.files.objectStore -}}
{{- if and .bucket $service.is.evidence -}}
{{- $_ := set $c "files" (dict "bucket" .bucket "endpoint" .endpoint "region" .region
    "access_key_id_file" "/run/secrets/dudao/files-access-key-id" "secret_access_key_file" "/run/secrets/dudao/files-secret-access-key") -}}
{{- if .authoritySecret }}{{ $_ := set $c.files "authority_file" "/run/secrets/dudao/files-ca.crt" }}{{ end -}}
{{- else -}}
{{- $_ := set $c "files" (dict "folder" "/var/lib/dudao/files") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if or $service.is.evidence (eq $name "console") }}{{ $_ := set $c.http "max_body_bytes" 67108864 }}{{ end -}}
{{- $own := dict -}}
{{- if eq $name "registry" -}}
{{- $own = dict "sign_in" (dict "trusted_proxies" $proxies)
    "tokens" (dict "private_key_file" (printf "/run/secrets/dudao/%s.pem" $v.tokenKeys.current))
    "bootstrap" (dict "password_file" "/run/secrets/dudao/bootstrap-password" "province_code" $v.province.code "province_name" $v.province.name) -}}
{{- with $v.oidc }}{{ if .issuer -}}
{{- $_ := set $own "oidc" (dict "issuer" .issuer "client_id" .clientId "client_secret_file" "/run/secrets/dudao/oidc-client-secret"
    "redirect_uri" (printf "%s/sign-on/callback" $console) "subject_claim" .subjectClaim
    "name_zh_hans" .names.zhHans "name_zh_hant" .names.zhHant "name_en" .names.en) -}}
{{- if .authoritySecret }}{{ $_ := set $own.oidc "authority_file" "/run/secrets/dudao/oidc-ca.crt" }}{{ end -}}
{{- end }}{{ end -}}
{{- else if has $name (list "tasks" "deadlines") -}}
{{- $own = dict "rulebook" (dict "folder" $rulebook "policy" $v.province.policy) -}}
{{- else if eq $name "reporting" -}}
{{- $own = dict "links" (dict "portal" $portal) -}}
{{- else if eq $name "notifications" -}}
{{- $own = dict "rulebook" (dict "folder" $rulebook "province" $v.province.code) "links" (dict "console" $console)
    "receipts" (dict "link_key_file" "/run/secrets/dudao/receipt-links") -}}
{{- else if eq $name "publication" -}}
{{- $own = dict "rulebook" (dict "folder" $rulebook "province" $v.province.code) "portal" (dict "address" $portal "trusted_proxies" $proxies) -}}
{{- with $v.database.standby }}{{ if .host -}}
{{- $_ := set $own "standby" (dict "host" .host "port" (int $v.database.port) "max_lag_seconds" (int .maxLagSeconds)) -}}
{{- end }}{{ end -}}
{{- else if eq $name "exchange" -}}
{{- $host := get (urlParse $service.config.platform.base_url) "host" -}}
{{- $own = dict "outbound" (dict "allowed_hosts" (list $host))
    "documents" (dict "templates" (printf "%s/documents" $rulebook) "portal" $portal)
    "platform" (dict "signing_key_file" "/run/secrets/dudao/platform-key" "province_code" $v.province.code) -}}
{{- else if eq $name "documents" -}}
{{- $own = dict "rendering" (dict "templates" (printf "%s/documents" $rulebook) "portal" $portal
    "signing_key_file" "/run/secrets/dudao/rendition-key")
    "fonts" (dict "folders" (list "/usr/share/fonts/official" "/usr/share/fonts/dudao")) -}}
{{- else if eq $name "console" -}}
{{- $services := dict -}}
{{- range $service.is.asks }}{{ $_ := set $services . (printf "http://%s-%s" (include "dudao.fullname" $.root) .) }}{{ end -}}
{{- $own = dict "services" $services "session" (dict "key_file" "/run/secrets/dudao/cookie-key")
    "gateway" (dict "trusted_proxies" $proxies) "links" (dict "portal" $portal) -}}
{{- end -}}
{{- include "dudao.toml" (mustMergeOverwrite $c $own $service.config) -}}
{{- end }}

{{/* Sections as TOML. Not toToml: it writes whole numbers of values as floats, which the services refuse. */}}
{{- define "dudao.toml" -}}
{{- range $section, $keys := . }}
[{{ $section }}]
{{- range $key, $value := $keys }}
{{ $key }} = {{ include "dudao.tomlValue" $value }}
{{- end }}
{{ end }}
{{- end }}

{{- define "dudao.tomlValue" -}}
{{- if kindIs "map" . -}}
{ {{- $first := true }}{{ range $key, $value := . }}{{ if not $first }},{{ end }} {{ $key }} = {{ include "dudao.tomlValue" $value }}{{ $first = false }}{{ end }} }
{{- else if kindIs "slice" . -}}
[{{- range $index, $value := . }}{{ if $index }}, {{ end }}{{ include "dudao.tomlValue" $value }}{{ end }}]
{{- else -}}
{{ toRawJson . }}
{{- end -}}
{{- end }}
