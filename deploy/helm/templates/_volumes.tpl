{{- define "meili-ha.volumes" -}}
- name: tmp
  {{- with .Values.meilisearch.staging }}
  {{- if .storageClass }}
  ephemeral:
    volumeClaimTemplate:
      spec:
        accessModes: [ReadWriteOnce]
        storageClassName: {{ .storageClass }}
        resources: { requests: { storage: {{ .size }} } }
  {{- else }}
  emptyDir: { sizeLimit: {{ .size }} }
  {{- end }}
  {{- end }}
- name: key
  secret:
    {{- if .Values.apiKey.existingSecret }}
    secretName: {{ .Values.apiKey.existingSecret }}
    items: [{ key: {{ .Values.apiKey.secretKey }}, path: api-key }]
    {{- else }}
    secretName: {{ .Values.auth.existingSecret }}
    items: [{ key: {{ .Values.auth.secretKey }}, path: api-key }]
    {{- end }}
    defaultMode: 0440
{{- if include "meili-ha.members" . }}
# In memory: a reboot must empty it.
- name: ha
  emptyDir: { medium: Memory, sizeLimit: 16Mi }
{{- end }}
{{- if include "meili-ha.labelled" . }}
# What automountServiceAccountToken would give to every container; here to lease-keeper alone.
- name: token
  projected:
    defaultMode: 0440
    sources:
      - serviceAccountToken: { path: token, expirationSeconds: 3600 }
      - configMap:
          name: kube-root-ca.crt
          items: [{ key: ca.crt, path: ca.crt }]
      - downwardAPI:
          items: [{ path: namespace, fieldRef: { fieldPath: metadata.namespace } }]
{{- end }}
{{- end }}
