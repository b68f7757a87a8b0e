import { haproxyVersion, startHaproxy, type Routed, type Router } from './haproxy.ts'
import { startSmallRouter } from './small-router.ts'

export const ROUTERS = ['haproxy', 'small'] as const
export type RouterKind = (typeof ROUTERS)[number]

/** HAProxy with the shipped configuration where it is installed, else the small router. */
export function startRouter(
  kind: RouterKind | undefined,
  members: readonly Routed[],
): Promise<Router> {
  const chosen = kind ?? (haproxyVersion() === undefined ? 'small' : 'haproxy')
  return (chosen === 'haproxy' ? startHaproxy : startSmallRouter)(members)
}
