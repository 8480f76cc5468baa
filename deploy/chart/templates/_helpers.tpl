{{- define "syncrator.labels" -}}
app.kubernetes.io/name: syncrator
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- /* Of one part, api or worker: what its Deployment and its policies go by. */}}
{{- define "syncrator.selector" -}}
app.kubernetes.io/name: syncrator
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{- define "syncrator.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "syncrator.podSecurity" -}}
runAsNonRoot: true
runAsUser: 1000
runAsGroup: 1000
fsGroup: 1000
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "syncrator.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- /* Settings that api, worker and migrations share. */}}
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
  secret: { secretName: {{ . }}, defaultMode: 0440 }
{{- end }}
{{- end }}

{{- /* One folder per environment, as the params files are read. */}}
{{- define "syncrator.jobParamsMounts" -}}
{{- range $env, $files := .Values.jobParams }}
- { name: params-{{ $env }}, mountPath: /job_params/{{ $env }}, readOnly: true }
{{- end }}
{{- if not .Values.jobParams }}
- { name: no-params, mountPath: /job_params, readOnly: true }
{{- end }}
{{- end }}

{{- define "syncrator.jobParamsVolumes" -}}
{{- range $env, $files := .Values.jobParams }}
- name: params-{{ $env }}
  configMap: { name: {{ $.Release.Name }}-params-{{ $env }} }
{{- end }}
{{- if not .Values.jobParams }}
- { name: no-params, emptyDir: {} }
{{- end }}
{{- end }}

{{- /* Rolled when what it reads has changed. */}}
{{- define "syncrator.checksum" -}}
checksum/settings: {{ include (print $.Template.BasePath "/settings.yaml") . | sha256sum }}
{{- end }}
