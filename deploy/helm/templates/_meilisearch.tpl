{{/* The stock container; a member's runs under the guard. */}}
{{- define "meili-ha.meilisearch" -}}
name: meilisearch
image: {{ .Values.meilisearch.image.repository }}:{{ .Values.meilisearch.image.tag }}
imagePullPolicy: {{ .Values.meilisearch.image.pullPolicy }}
{{ include "meili-ha.restricted" . }}
resources: {{- toYaml .Values.meilisearch.resources | nindent 2 }}
{{- if include "meili-ha.members" . }}
# `command` replaces the image's entrypoint, so tini is named again.
command: [tini, --, sh, /ha/guard.sh, /bin/meilisearch]
{{- end }}
env:
  - name: MEILI_ENV
    value: production
  - name: MEILI_NO_ANALYTICS
    value: "true"
  - name: MEILI_MASTER_KEY
    valueFrom: { secretKeyRef: { name: {{ .Values.auth.existingSecret }}, key: {{ .Values.auth.secretKey }} } }
  {{- if include "meili-ha.members" . }}
  # The grace period less 5: what is left is for stopping.
  - name: MEILI_HA_DRAIN_LIMIT
    value: {{ sub (include "meili-ha.grace" . | int) 5 | quote }}
  {{- end }}
  {{- with include "meili-ha.envOf" .Values.meilisearch.env | trim }}{{ . | nindent 2 }}{{ end }}
{{- with .Values.meilisearch.envFrom }}
envFrom: {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  - { name: http, containerPort: 7700 }
{{- if include "meili-ha.members" . }}
# Not HTTP: a guard that waits for its permit is healthy.
livenessProbe:
  exec: { command: [sh, /ha/guard.sh, --beat] }
  periodSeconds: 10
  timeoutSeconds: 5
readinessProbe:
  exec: { command: [sh, /ha/guard.sh, --beat] }
  periodSeconds: 10
  timeoutSeconds: 5
{{- else }}
# No liveness probe: a long indexing or import is no reason to kill it.
readinessProbe:
  httpGet: { path: /health, port: http }
  periodSeconds: 5
  timeoutSeconds: 5
{{- end }}
volumeMounts:
  - { name: data, mountPath: /meili_data }
  - { name: tmp, mountPath: /tmp }
  {{- if include "meili-ha.members" . }}
  - { name: ha, mountPath: /ha }
  {{- end }}
{{- end }}
