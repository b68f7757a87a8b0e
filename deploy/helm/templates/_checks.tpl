{{/* What the schema can't say: each with what helps. */}}
{{- define "meili-ha.checks" -}}
{{- if not .Values.auth.existingSecret }}
{{- fail "\n\nauth.existingSecret is required: a Secret with Meilisearch's master key. Make one:\n  kubectl create secret generic meilisearch --from-literal=MEILI_MASTER_KEY=\"$(openssl rand -hex 32)\"\n  --set auth.existingSecret=meilisearch\nAll members share it, and the snapshots' API keys depend on it: take the one that you have.\n" }}
{{- end }}
{{- if not .Values.store.url }}
{{- fail "\n\nstore.url is required: where the snapshots are kept.\n  --set store.url=s3://my-backups/search\n" }}
{{- end }}
{{- if and (not (include "meili-ha.members" .)) (ne (int .Values.replicas) 1) }}
{{- fail (printf "\n\nsteps: %s has one Meilisearch: set replicas: 1, or take steps: replica or failover.\n" .Values.steps) }}
{{- end }}
{{- if and (eq .Values.steps "failover") (eq .Values.leaseKeeper.lease "store") (not .Values.store.url) }}
{{- fail "\n\nleaseKeeper.lease: store needs store.url.\n" }}
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
{{- fail "\n\nhttpRoute.parentRefs is required: the Gateway to join, e.g. [{name: public}].\n" }}
{{- end }}
{{- if and (or .Values.httpRoute.enabled .Values.ingressRoute.enabled) (not (eq (include "meili-ha.split" .) "yes")) }}
{{- fail "\n\nhttpRoute and ingressRoute split reads from writes: they need steps: replica, or failover with leaseKeeper.lease: kubernetes.\n" }}
{{- end }}
{{- if and .Values.ingressRoute.enabled (not .Values.ingressRoute.host) }}
{{- fail "\n\ningressRoute.host is required.\n" }}
{{- end }}
{{- end }}

{{/* "yes" where there are Services -write and -read that mean different pods. */}}
{{- define "meili-ha.split" -}}
{{- if or (eq .Values.steps "replica") (include "meili-ha.labelled" .) }}yes{{ end }}
{{- end }}
