{{/* Names and labels. */}}

{{- define "meili-ha.fullname" -}}
{{- if .Values.fullnameOverride }}{{ .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}
{{- end }}

{{- define "meili-ha.cluster" -}}
{{ default (include "meili-ha.fullname" .) .Values.cluster }}
{{- end }}

{{- define "meili-ha.serviceAccount" -}}
{{ default (include "meili-ha.fullname" .) .Values.serviceAccount.name }}
{{- end }}

{{- define "meili-ha.selector" -}}
app.kubernetes.io/name: {{ default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{/* Of the pod of `helm test`: not the members', or Services would send to it. */}}
{{- define "meili-ha.testSelector" -}}
{{ include "meili-ha.selector" . | replace "app.kubernetes.io/name: " "app.kubernetes.io/name: test-" }}
{{- end }}

{{- define "meili-ha.labels" -}}
{{ include "meili-ha.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* "yes" for members under a guard, with a lease-keeper each. */}}
{{- define "meili-ha.members" -}}
{{- if has .Values.steps (list "replica" "failover") }}yes{{ end }}
{{- end }}

{{/* "yes" where pods are labelled by role, and the lease-keeper talks to the API server. */}}
{{- define "meili-ha.labelled" -}}
{{- if and (eq .Values.steps "failover") (eq .Values.leaseKeeper.lease "kubernetes") }}yes{{ end }}
{{- end }}

{{/* Whole seconds. A third of the volume is data.ms; 10 s a GiB of volume is 35 MiB/s for it. */}}
{{- define "meili-ha.grace" -}}
{{- if .Values.terminationGracePeriodSeconds }}{{ int .Values.terminationGracePeriodSeconds }}
{{- else }}
{{- $size := .Values.persistence.size }}
{{- $gib := 0 }}
{{- if hasSuffix "Ti" $size }}{{ $gib = mul 1024 (trimSuffix "Ti" $size | float64 | ceil | int) }}
{{- else if hasSuffix "Gi" $size }}{{ $gib = trimSuffix "Gi" $size | float64 | ceil | int }}
{{- else if hasSuffix "Mi" $size }}{{ $gib = divf (trimSuffix "Mi" $size | float64) 1024 | ceil | int }}
{{- else }}{{ fail "persistence.size: write it in Mi, Gi or Ti, or set terminationGracePeriodSeconds" }}
{{- end }}
{{- add 60 (mul 10 $gib) }}
{{- end }}
{{- end }}

{{- define "meili-ha.image" -}}
{{ .image.repository }}:{{ default .version .image.tag }}
{{- end }}
