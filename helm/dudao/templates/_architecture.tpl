{{/*
The nine services as the architecture has them; NetworkPolicies, configuration, secrets and volumes follow from this.
  database   has a database and a journal, hence speaks to PostgreSQL and NATS
  evidence   keeps files of people
  asks       the services that it calls
  public     the key of `hosts` under which people reach it; others are reached from inside alone
  leaves     may have peers outside of the cluster
  vital      goes first when nodes run short
*/}}
{{- define "dudao.architecture" -}}
registry:      {database: true, vital: true}
tasks:         {database: true, vital: true, evidence: true}
deadlines:     {database: true, vital: true, evidence: true}
reporting:     {database: true}
notifications: {database: true, leaves: true}
publication:   {database: true, public: portal}
exchange:      {database: true, leaves: true}
documents:     {}
console:       {vital: true, public: console, asks: [registry, tasks, deadlines, reporting, notifications, publication, exchange, documents]}
{{- end }}
