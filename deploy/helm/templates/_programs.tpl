{{/* The containers of meili-ha: what each does is its first argument. */}}

{{- define "meili-ha.restricted" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
{{- end }}

{{/* (list $root $program) */}}
{{- define "meili-ha.program" -}}
{{- $root := index . 0 }}
{{- $program := index . 1 }}
image: {{ include "meili-ha.image" (dict "image" $program.image "version" $root.Chart.AppVersion) }}
imagePullPolicy: {{ $program.image.pullPolicy }}
{{ include "meili-ha.restricted" $root }}
resources: {{- toYaml $program.resources | nindent 2 }}
{{- end }}

{{- define "meili-ha.guard" -}}
name: guard
{{ include "meili-ha.program" (list . .Values.fetcher) | trim }}
args: [guard, --to, /ha]
volumeMounts:
  - { name: ha, mountPath: /ha }
{{- end }}

{{- define "meili-ha.restore" -}}
name: restore
{{ include "meili-ha.program" (list . .Values.fetcher) | trim }}
args: [restore]
env:
  - name: MEILI_HA_TIMEOUT
    value: {{ .Values.fetcher.timeout | quote }}
  {{- with include "meili-ha.haEnv" . | trim }}{{ . | nindent 2 }}{{ end }}
  {{- include "meili-ha.restoreEnv" . | nindent 2 }}
  {{- with include "meili-ha.storeEnv" (list . (default .Values.store.existingSecret .Values.store.readOnlySecret)) | trim }}{{ . | nindent 2 }}{{ end }}
  {{- include "meili-ha.logEnv" . | nindent 2 }}
  {{- with include "meili-ha.envOf" .Values.fetcher.env | trim }}{{ . | nindent 2 }}{{ end }}
volumeMounts:
  - { name: data, mountPath: /meili_data }
  {{- if include "meili-ha.members" . }}
  - { name: ha, mountPath: /ha }
  {{- end }}
{{- end }}

{{- define "meili-ha.follow" -}}
name: fetcher
restartPolicy: Always
{{ include "meili-ha.program" (list . .Values.fetcher) | trim }}
args: [follow]
env:
  - name: MEILI_HA_POLL
    value: {{ .Values.fetcher.poll | quote }}
  - name: MEILI_HA_SWAP_EVERY
    value: {{ .Values.fetcher.swapEvery | quote }}
  {{- with include "meili-ha.haEnv" . | trim }}{{ . | nindent 2 }}{{ end }}
  {{- include "meili-ha.restoreEnv" . | nindent 2 }}
  {{- include "meili-ha.keyEnv" . | nindent 2 }}
  {{- with include "meili-ha.storeEnv" (list . (default .Values.store.existingSecret .Values.store.readOnlySecret)) | trim }}{{ . | nindent 2 }}{{ end }}
  {{- include "meili-ha.logEnv" . | nindent 2 }}
  {{- with include "meili-ha.envOf" .Values.fetcher.env | trim }}{{ . | nindent 2 }}{{ end }}
ports:
  - { name: fetcher, containerPort: 7712 }
livenessProbe:
  httpGet: { path: /healthz, port: fetcher }
  periodSeconds: 30
  timeoutSeconds: 5
volumeMounts:
  - { name: data, mountPath: /meili_data }
  - { name: ha, mountPath: /ha }
  - { name: key, mountPath: /run/meili-ha/key, readOnly: true }
{{- end }}

{{- define "meili-ha.uploader" -}}
name: uploader
restartPolicy: Always
{{ include "meili-ha.program" (list . .Values.uploader) | trim }}
args: [run]
env:
  - name: MEILI_HA_EVERY
    value: {{ .Values.uploader.every | quote }}
  - name: MEILI_HA_KEEP_LAST
    value: {{ int64 .Values.uploader.keepLast | quote }}
  - name: MEILI_HA_KEEP_DAILY
    value: {{ int64 .Values.uploader.keepDaily | quote }}
  {{- with include "meili-ha.haEnv" . | trim }}{{ . | nindent 2 }}{{ end }}
  {{- include "meili-ha.keyEnv" . | nindent 2 }}
  {{- with include "meili-ha.storeEnv" (list . .Values.store.existingSecret) | trim }}{{ . | nindent 2 }}{{ end }}
  {{- include "meili-ha.logEnv" . | nindent 2 }}
  {{- with include "meili-ha.envOf" .Values.uploader.env | trim }}{{ . | nindent 2 }}{{ end }}
ports:
  - { name: uploader, containerPort: 7711 }
livenessProbe:
  httpGet: { path: /healthz, port: uploader }
  periodSeconds: 30
  timeoutSeconds: 5
volumeMounts:
  # It only reads there; a directory that is archived was stopped before.
  - { name: data, mountPath: /meili_data, readOnly: true }
  {{- if include "meili-ha.members" . }}
  - { name: ha, mountPath: /ha }
  {{- end }}
  - { name: key, mountPath: /run/meili-ha/key, readOnly: true }
{{- end }}

{{- define "meili-ha.leaseKeeper" -}}
name: lease-keeper
restartPolicy: Always
{{ include "meili-ha.program" (list . .Values.leaseKeeper) | trim }}
args: [run]
env:
  - name: MEILI_HA_CLUSTER
    value: {{ include "meili-ha.cluster" . | quote }}
  {{- if eq .Values.steps "replica" }}
  - name: MEILI_HA_LEASE
    value: none
  - name: MEILI_HA_PRIMARY
    value: {{ include "meili-ha.fullname" . }}-0
  {{- else }}
  - name: MEILI_HA_LEASE
    value: {{ .Values.leaseKeeper.lease }}
  - name: MEILI_HA_BOOTSTRAP_MEMBER
    value: {{ default (printf "%s-0" (include "meili-ha.fullname" .)) .Values.leaseKeeper.bootstrapMember }}
  - name: MEILI_HA_FAILOVER
    value: {{ .Values.leaseKeeper.failover }}
  - name: MEILI_HA_FAILOVER_DELAY
    value: {{ .Values.leaseKeeper.failoverDelay | quote }}
  {{- with .Values.leaseKeeper.maxLoss }}
  - name: MEILI_HA_MAX_LOSS
    value: {{ . | quote }}
  {{- end }}
  {{- with .Values.leaseKeeper.onPromote }}
  - name: MEILI_HA_ON_PROMOTE
    value: {{ . | quote }}
  {{- end }}
  {{- end }}
  - name: MEILI_HA_LEASE_DURATION
    value: {{ .Values.leaseKeeper.leaseDuration | quote }}
  {{- with include "meili-ha.haEnv" . | trim }}{{ . | nindent 2 }}{{ end }}
  {{- include "meili-ha.keyEnv" . | nindent 2 }}
  {{- if include "meili-ha.labelled" . }}
  - name: MEILI_HA_POD_NAME
    valueFrom: { fieldRef: { fieldPath: metadata.name } }
  - name: MEILI_HA_POD_UID
    valueFrom: { fieldRef: { fieldPath: metadata.uid } }
  {{- else if eq .Values.steps "failover" }}
  {{- with include "meili-ha.storeEnv" (list . .Values.store.existingSecret) | trim }}{{ . | nindent 2 }}{{ end }}
  {{- end }}
  {{- include "meili-ha.logEnv" . | nindent 2 }}
  {{- with include "meili-ha.envOf" .Values.leaseKeeper.env | trim }}{{ . | nindent 2 }}{{ end }}
ports:
  - { name: lease-keeper, containerPort: 7713 }
# No start-up probe: the others need not wait for it, the guard does. And of itself alone: a member
# that waits for the lease is well.
livenessProbe:
  httpGet: { path: /healthz, port: lease-keeper }
  periodSeconds: 10
  timeoutSeconds: 5
{{- if include "meili-ha.labelled" . }}
# Never the role, which is a label: ready = its data is whole, so that a roll-out may go on.
readinessProbe:
  httpGet: { path: /readyz, port: lease-keeper }
  periodSeconds: 5
  timeoutSeconds: 2
{{- else }}
# Primary or standby alike. Away for the two seconds before a swap, so it is asked each second.
readinessProbe:
  httpGet: { path: "/read-only{{ with .Values.readLag }}?lag={{ . }}{{ end }}", port: lease-keeper }
  periodSeconds: 1
  timeoutSeconds: 2
  failureThreshold: 1
{{- end }}
volumeMounts:
  - { name: ha, mountPath: /ha }
  - { name: key, mountPath: /run/meili-ha/key, readOnly: true }
  {{- if include "meili-ha.labelled" . }}
  - { name: token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true }
  {{- end }}
{{- end }}
