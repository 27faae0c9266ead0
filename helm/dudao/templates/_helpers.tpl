{{- define "dudao.fullname" -}}
{{- .Values.fullnameOverride | default (printf "%s-dudao" .Release.Name) | trunc 40 | trimSuffix "-" -}}
{{- end }}

{{/* The services that are installed, as YAML: name → its block over the defaults, with `name`, `fullname` and `is` (the
     architecture). Every template of a service goes over this. */}}
{{- define "dudao.services" -}}
{{- $all := dict -}}
{{- range $name, $is := include "dudao.architecture" . | fromYaml -}}
{{- $block := mustMergeOverwrite (deepCopy $.Values.defaults) (deepCopy (index $.Values.services $name)) -}}
{{- if $block.enabled -}}
{{- if and $block.egress (not $is.leaves) -}}
{{- fail (printf "services.%s.egress: only exchange and notifications may leave the cluster" $name) -}}
{{- end -}}
{{- if and $block.autoscaling.enabled (lt (int $block.autoscaling.maxReplicas) (int $block.replicas)) -}}
{{- fail (printf "services.%s: autoscaling.maxReplicas is below replicas" $name) -}}
{{- end -}}
{{- $_ := set $block "name" $name -}}
{{- $_ := set $block "fullname" (printf "%s-%s" (include "dudao.fullname" $) $name) -}}
{{- $_ := set $block "is" $is -}}
{{- if and $.Values.priorityClasses.create (not $block.priorityClassName) -}}
{{- $_ := set $block "priorityClassName" (printf "%s-%s" (include "dudao.fullname" $) (ternary "vital" "usual" (default false $is.vital))) -}}
{{- end -}}
{{- $_ := set $all $name $block -}}
{{- end -}}
{{- end -}}
{{- include "dudao.checkConnections" (dict "root" $ "services" $all) -}}
{{- toYaml $all -}}
{{- end }}

{{/* Refuses pools that together could exceed the server's connections: during a rolling update each service has one pod more. */}}
{{- define "dudao.checkConnections" -}}
{{- $sum := 10 -}}
{{- range $name, $service := .services -}}
{{- if $service.is.database -}}
{{- $pool := dig "database" "max_connections" 8 $service.config | int -}}
{{- $pods := add 1 (ternary $service.autoscaling.maxReplicas $service.replicas $service.autoscaling.enabled | int) -}}
{{- $sum = add $sum (mul $pool $pods) -}}
{{- end -}}
{{- end -}}
{{- if gt $sum (int .root.Values.database.maxConnections) -}}
{{- fail (printf "database.maxConnections is %d, but the pods could open %d connections (with 10 for people and tools)" (int .root.Values.database.maxConnections) $sum) -}}
{{- end -}}
{{- end }}

{{- define "dudao.selector" -}}
app.kubernetes.io/name: dudao
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "dudao.labels" -}}
{{ include "dudao.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "dudao.image" -}}
{{- with .Values.image -}}
{{- if .registry }}{{ .registry }}/{{ end }}{{ .repository }}
{{- if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end -}}
{{- end -}}
{{- end }}

{{/* How services and the tool reach the broker, in the words of their configuration. */}}
{{- define "dudao.broker" -}}
{{- $broker := dict "url" .Values.broker.url "subject_prefix" .Values.broker.subjectPrefix -}}
{{- with .Values.broker -}}
{{- if .credentials -}}
{{- $_ := set $broker "credentials_file" "/run/secrets/dudao/broker.creds" -}}
{{- else if .password -}}
{{- $_ := set $broker "user" .password.user -}}
{{- $_ := set $broker "password_file" "/run/secrets/dudao/broker-password" -}}
{{- end -}}
{{- if .authoritySecret -}}
{{- if not (hasPrefix "tls://" .url) }}{{ fail "broker.authoritySecret: broker.url must begin with tls://" }}{{ end -}}
{{- $_ := set $broker "authority_file" "/run/secrets/dudao/broker-ca.crt" -}}
{{- end -}}
{{- end -}}
{{- toYaml $broker -}}
{{- end }}

{{/* The secrets of a service: file → {name, key}. Journal and database of each follow one pattern. */}}
{{- define "dudao.secrets" -}}
{{- $service := .service -}}
{{- $own := $service.fullname -}}
{{- $files := dict -}}
{{- if $service.is.database -}}
{{- $_ := set $files "database-password" (dict "name" (printf "%s-database" $own) "key" "password") -}}
{{- $_ := set $files "journal-key" (dict "name" $own "key" "journal-key") -}}
{{- with .root.Values.database.authoritySecret }}{{ $_ := set $files "database-ca.crt" (dict "name" . "key" "ca.crt") }}{{ end -}}
{{- with .root.Values.broker -}}
{{- if .credentials }}{{ $_ := set $files "broker.creds" .credentials -}}
{{- else if .password }}{{ $_ := set $files "broker-password" (pick .password "name" "key") }}{{ end -}}
{{- if .authoritySecret }}{{ $_ := set $files "broker-ca.crt" (dict "name" .authoritySecret "key" "ca.crt") }}{{ end -}}
{{- end -}}
{{- end -}}
{{- with .root.Values.files.objectStore -}}
{{- if and .bucket $service.is.evidence -}}
{{- $_ := set $files "files-access-key-id" (dict "name" .secret "key" "access-key-id") -}}
{{- $_ := set $files "files-secret-access-key" (dict "name" .secret "key" "secret-access-key") -}}
{{- if .authoritySecret }}{{ $_ := set $files "files-ca.crt" (dict "name" .authoritySecret "key" "ca.crt") }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if eq $service.name "registry" -}}
{{- $_ := set $files "bootstrap-password" (dict "name" $own "key" "bootstrap-password") -}}
{{- $_ := set $files (printf "%s.pem" .root.Values.tokenKeys.current) (dict "name" $own "key" "token-key") -}}
{{- with .root.Values.oidc }}{{ if .issuer -}}
{{- $_ := set $files "oidc-client-secret" (dict "name" .secret "key" "client-secret") -}}
{{- if .authoritySecret }}{{ $_ := set $files "oidc-ca.crt" (dict "name" .authoritySecret "key" "ca.crt") }}{{ end -}}
{{- end }}{{ end -}}
{{- end -}}
{{- if eq $service.name "exchange" }}{{ $_ := set $files "platform-key" (dict "name" $own "key" "platform-key") }}{{ end -}}
{{- if eq $service.name "notifications" }}{{ $_ := set $files "receipt-links" (dict "name" $own "key" "receipt-links") }}{{ end -}}
{{- if eq $service.name "documents" }}{{ $_ := set $files "rendition-key" (dict "name" $own "key" "rendition-key") }}{{ end -}}
{{- if eq $service.name "console" }}{{ $_ := set $files "cookie-key" (dict "name" $own "key" "cookie-key") }}{{ end -}}
{{- toYaml (mustMergeOverwrite $files $service.secrets) -}}
{{- end }}

{{/* The pod of a service, for its Deployment and for the Job that migrates: the same program, configuration, secrets. */}}
{{- define "dudao.pod" -}}
{{- $service := .service }}{{ $root := .root -}}
{{- $evidence := and $service.is.evidence (not .migrates) (not $root.Values.files.objectStore.bucket) -}}
# No pod speaks to the Kubernetes API.
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  # A folder of many files is not walked through at each start.
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- with $service.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $service.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $service.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - name: config
    configMap:
      name: {{ .configMap }}
  - name: secrets
    projected:
      defaultMode: 0440
      sources:
        {{- range $file, $from := include "dudao.secrets" . | fromYaml }}
        - secret:
            name: {{ $from.name }}
            items:
              - key: {{ $from.key }}
                path: {{ $file }}
        {{- else }} []
        {{- end }}
  {{- if ne $service.name "console" }}
  - name: token-keys
    configMap:
      name: {{ $root.Values.tokenKeys.configMap }}
  {{- end }}
  {{- if $service.is.database }}
  - name: files
    {{- if $evidence }}
    persistentVolumeClaim:
      claimName: {{ $root.Values.files.existingClaim | default (printf "%s-files" (include "dudao.fullname" $root)) }}
    {{- else }}
    emptyDir:
      sizeLimit: 1Gi
    {{- end }}
  {{- end }}
  - name: tmp
    emptyDir:
      sizeLimit: 1Gi
containers:
  - name: {{ $service.name }}
    image: {{ include "dudao.image" $root }}
    imagePullPolicy: {{ $root.Values.image.pullPolicy }}
    command:
      - /usr/local/bin/{{ $service.name }}
      - --config=/etc/dudao/config/{{ $service.name }}.toml
      {{- if .migrates }}
      - --migrate
      {{- end }}
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop: [ALL]
    resources:
      {{- toYaml $service.resources | nindent 6 }}
    volumeMounts:
      - name: config
        mountPath: /etc/dudao/config
        readOnly: true
      - name: secrets
        mountPath: /run/secrets/dudao
        readOnly: true
      {{- if ne $service.name "console" }}
      - name: token-keys
        mountPath: /etc/dudao/keys
        readOnly: true
      {{- end }}
      {{- if $service.is.database }}
      - name: files
        mountPath: /var/lib/dudao/files
      {{- end }}
      - name: tmp
        mountPath: /tmp
{{- end }}
