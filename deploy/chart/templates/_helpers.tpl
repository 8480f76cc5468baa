{{- define "syncrator.labels" -}}
app.kubernetes.io/name: syncrator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- /* Labels of one part, api or worker, by which its Deployment and its policies select. */}}
{{- define "syncrator.selector" -}}
app.kubernetes.io/name: syncrator
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "syncrator.image" -}}
{{ .Values.image.repository }}{{ if .Values.image.digest }}@{{ .Values.image.digest }}{{ else }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- /* Sets neither users nor groups by default: the image names its user, or the platform assigns one (OpenShift). */}}
{{- define "syncrator.podSecurity" -}}
{{- $ours := dict "runAsNonRoot" true "seccompProfile" (dict "type" "RuntimeDefault") }}
{{- toYaml (mergeOverwrite $ours (deepCopy .Values.podSecurityContext)) }}
{{- end }}

{{- define "syncrator.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- /* Namespace of the jobs. */}}
{{- define "syncrator.jobsNamespace" -}}
{{ .Values.jobs.namespace | default .Release.Namespace }}
{{- end }}

{{- /* Each key once: a key in `settings` wins over the same key made from other values. */}}
{{- define "syncrator.settings" -}}
{{- $data := dict
  "HOST" .Values.host
  "PORT" "8080"
  "RUNNER" "kubernetes"
  "TEMPORAL_ADDRESS" (required "temporal.address is required: host:port" .Values.temporal.address)
  "TEMPORAL_NAMESPACE" .Values.temporal.namespace
  "SYNCRATOR_IMAGE" (.Values.jobImage | default .Values.image.repository)
  "SYNCRATOR_REPORT_BASE_URL" (printf "http://%s-api.%s.svc:%v" .Release.Name .Release.Namespace .Values.api.service.port)
  "KUBERNETES_NAMESPACE" (include "syncrator.jobsNamespace" .)
  "JOB_PARAMS" "/job_params" }}
{{- with .Values.temporal.uiUrl }}{{ $_ := set $data "TEMPORAL_UI_URL" . }}{{ end }}
{{- with .Values.publicUrl }}{{ $_ := set $data "SYNCRATOR_PUBLIC_URL" . }}{{ end }}
{{- /* If host names are checked, the ingress' name is accepted, too. */}}
{{- if and .Values.publicUrl .Values.api.ingress.enabled }}{{ $_ := set $data "ALLOWED_HOSTS" .Values.api.ingress.host }}{{ end }}
{{- with .Values.podOverrides }}{{ $_ := set $data "KUBERNETES_POD_OVERRIDES" (toJson .) }}{{ end }}
{{- if .Values.metrics.enabled }}{{ $_ := mergeOverwrite $data (dict "METRICS_HOST" .Values.host "METRICS_PORT" "9464") }}{{ end }}
{{- range $name, $value := mergeOverwrite $data .Values.settings }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end }}

{{- /* Scheduling of a part's pods; the context is the part's values. */}}
{{- define "syncrator.scheduling" -}}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "syncrator.pullSecrets" -}}
{{- with .Values.image.pullSecrets }}
imagePullSecrets: {{- range . }}{{ dict "name" . | list | toYaml | nindent 2 }}{{ end }}
{{- end }}
{{- end }}

{{- /* Settings that api and worker share. */}}
{{- define "syncrator.environment" -}}
envFrom:
  - configMapRef: { name: {{ .Release.Name }}-settings }
  - secretRef: { name: {{ .Values.existingSecret }} }
{{- end }}

{{- define "syncrator.certificatesMount" -}}
{{- if .Values.certificatesSecret }}
- { name: certificates, mountPath: /certificates, readOnly: true }
{{- end }}
{{- end }}

{{- define "syncrator.certificatesVolume" -}}
{{- with .Values.certificatesSecret }}
- name: certificates
  secret: { secretName: {{ . }} }
{{- end }}
{{- end }}

{{- /* Name of an environment's ConfigMap and volume: a DNS label has no `_`. */}}
{{- define "syncrator.paramsName" -}}
params-{{ . | replace "_" "-" }}
{{- end }}

{{- /* Mounts one folder per environment, where the params files are read. */}}
{{- define "syncrator.jobParamsMounts" -}}
{{- range $env, $files := .Values.jobParams }}
- { name: {{ include "syncrator.paramsName" $env }}, mountPath: /job_params/{{ $env }}, readOnly: true }
{{- end }}
{{- if not .Values.jobParams }}
- { name: no-params, mountPath: /job_params, readOnly: true }
{{- end }}
{{- end }}

{{- define "syncrator.jobParamsVolumes" -}}
{{- range $env, $files := .Values.jobParams }}
- name: {{ include "syncrator.paramsName" $env }}
  configMap: { name: {{ $.Release.Name }}-{{ include "syncrator.paramsName" $env }} }
{{- end }}
{{- if not .Values.jobParams }}
- { name: no-params, emptyDir: {} }
{{- end }}
{{- end }}

{{- /* Rolls the pods when their settings change. Params files need none: the pods read them again. */}}
{{- define "syncrator.checksum" -}}
checksum/settings: {{ include (print $.Template.BasePath "/settings.yaml") . | sha256sum }}
{{- end }}
