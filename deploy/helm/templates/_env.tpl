{{/* Variables of the programs; every flag is one. */}}

{{/* $map: name -> value. A number comes as a float, which prints as 2.147483648e+09. */}}
{{- define "meili-ha.envOf" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ ternary (printf "%.0f" (float64 $value)) (toString $value) (and (kindIs "float64" $value) (eq (float64 $value) (floor $value))) | quote }}
{{- end }}
{{- end }}

{{/* (list $root $secret): where snapshots are kept, and the credentials for it. */}}
{{- define "meili-ha.storeEnv" -}}
{{- $root := index . 0 }}
{{- $secret := index . 1 }}
{{- with $root.Values.store }}
- name: MEILI_HA_STORE
  value: {{ .url | quote }}
{{- with .region }}
- name: AWS_REGION
  value: {{ . | quote }}
{{- end }}
{{- with .endpoint }}
- name: AWS_ENDPOINT_URL_S3
  value: {{ . | quote }}
{{- end }}
{{- include "meili-ha.envOf" .env }}
{{- end }}
{{- with $secret }}
- name: AWS_ACCESS_KEY_ID
  valueFrom: { secretKeyRef: { name: {{ . }}, key: AWS_ACCESS_KEY_ID } }
- name: AWS_SECRET_ACCESS_KEY
  valueFrom: { secretKeyRef: { name: {{ . }}, key: AWS_SECRET_ACCESS_KEY } }
{{- end }}
{{- end }}

{{- define "meili-ha.logEnv" -}}
- name: MEILI_HA_LOG_LEVEL
  value: {{ .Values.logLevel }}
{{- end }}

{{/* Members only: the volume that guard and programs share. */}}
{{- define "meili-ha.haEnv" -}}
{{- if include "meili-ha.members" . }}
- name: MEILI_HA_DIR
  value: /ha
{{- end }}
{{- end }}

{{- define "meili-ha.keyEnv" -}}
- name: MEILI_HA_API_KEY_FILE
  value: /run/meili-ha/key/api-key
{{- end }}

{{/* Makes the directory whole: of `restore` and `follow`. */}}
{{- define "meili-ha.restoreEnv" -}}
- name: MEILI_HA_UNKNOWN_DATA
  value: {{ .Values.fetcher.unknownData }}
{{- if regexMatch "^v?[0-9]+\\.[0-9]+\\.[0-9]+$" .Values.meilisearch.image.tag }}
- name: MEILI_HA_ENGINE_VERSION
  value: {{ trimPrefix "v" .Values.meilisearch.image.tag | quote }}
{{- end }}
{{- if .Values.fetcher.upgrade }}
- name: MEILI_HA_UPGRADE
  value: "true"
{{- end }}
{{- end }}
