{{/* What any member may answer; docker/haproxy.cfg has the same. */}}
{{- define "meili-ha.searchPaths" -}}
^/indexes/[^/]+/(search|facet-search|similar|documents/fetch)$
{{- end }}
{{- define "meili-ha.fetchPaths" -}}
^/indexes/[^/]+/(search|similar|documents(/[^/]+)?)$
{{- end }}
