/** A rule of a Role, as its manifest has it. */
export interface PolicyRule {
  apiGroups: string[]
  resources: string[]
  resourceNames?: string[]
  verbs: string[]
}

export interface Attempt {
  verb: string
  group: string
  resource: string
  name?: string | undefined
}

/** RBAC's whole decision: allowed when one rule allows it. */
export function isAllowed(rules: PolicyRule[], { verb, group, resource, name }: Attempt): boolean {
  return rules.some(
    (rule) =>
      rule.verbs.includes(verb) &&
      rule.apiGroups.includes(group) &&
      rule.resources.includes(resource) &&
      (rule.resourceNames === undefined ||
        (name !== undefined && rule.resourceNames.includes(name))),
  )
}
