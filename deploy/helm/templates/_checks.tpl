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
{{- $name := include "meili-ha.fullname" . }}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) }}
{{- fail (printf "\n\nno Service can be called %s: only a-z, 0-9 and -, from a letter on.\n  --set fullnameOverride=search\n" $name) }}
{{- end }}
{{- if not (or .Values.serviceAccount.create .Values.serviceAccount.name) }}
{{- fail "\n\nserviceAccount.name is required with serviceAccount.create: false. Not `default`: what the lease-keeper may do, every pod of that account may.\n" }}
{{- end }}
{{- range list "MEILI_DB_PATH" "MEILI_SNAPSHOT_DIR" "MEILI_HTTP_ADDR" }}
{{- if hasKey $.Values.meilisearch.env . }}
{{- fail (printf "\n\nmeilisearch.env can't change %s: probes, Services and programs rely on /meili_data/data.ms, /meili_data/snapshots and port 7700.\n" .) }}
{{- end }}
{{- end }}
{{- range list "app.kubernetes.io/name" "app.kubernetes.io/instance" "meili-ha/cluster" "meili-ha/role" "meili-ha/reads" }}
{{- if hasKey $.Values.podLabels . }}
{{- fail (printf "\n\npodLabels can't have %s: Services and the lease-keeper find the pods by it.\n" .) }}
{{- end }}
{{- end }}
{{- range list "meilisearch" "restore" "follow" "uploader" "leaseKeeper" }}
{{- $seen := dict }}
{{- $container := include (printf "meili-ha.%s" .) $ | fromYaml }}
{{- range $container.env }}
{{- if hasKey $seen .name }}
{{- fail (printf "\n\nthe container %s gets %s twice: a value of the chart has set it. Take it out of `env`.\n" $container.name .name) }}
{{- end }}
{{- $_ := set $seen .name true }}
{{- end }}
{{- end }}
{{- end }}

{{/* "yes" where there are Services -write and -read that mean different pods. */}}
{{- define "meili-ha.split" -}}
{{- if or (eq .Values.steps "replica") (include "meili-ha.labelled" .) }}yes{{ end }}
{{- end }}
