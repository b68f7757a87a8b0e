import { execFileSync } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'

/** A bridge of this machine, with a network namespace and an address for each name. */
export interface Network extends Disposable {
  /** The namespace of a name. */
  namespace(name: string): string
  address(name: string): string
  /** The lines of /etc/hosts. */
  hosts: string
}

const ip = (command: string) => execFileSync('ip', command.split(' '), { stdio: 'pipe' })

/** Needs root. */
export function createNetwork(names: readonly string[]): Network {
  const id = randomBytes(3).toString('hex')
  const subnet = `10.${randomInt(64, 192)}.${randomInt(256)}`
  const bridge = `mha${id}`
  const namespace = (name: string) => `mha${id}-${name}`
  const address = (name: string) => `${subnet}.${names.indexOf(name) + 2}`
  const made: string[] = []
  const dispose = () => {
    // A namespace takes its end of the pair with it, and so the other.
    for (const one of made) ip(`netns del ${one}`)
    ip(`link del ${bridge}`)
  }
  ip(`link add ${bridge} type bridge`)
  try {
    ip(`addr add ${subnet}.1/24 dev ${bridge}`)
    ip(`link set ${bridge} up`)
    for (const [number, name] of names.entries()) {
      const space = namespace(name)
      const end = `v${id}${number}`
      ip(`netns add ${space}`)
      made.push(space)
      ip(`link add ${end} type veth peer name eth0 netns ${space}`)
      ip(`link set ${end} master ${bridge} up`)
      ip(`-n ${space} addr add ${address(name)}/24 dev eth0`)
      ip(`-n ${space} link set eth0 up`)
      ip(`-n ${space} link set lo up`)
    }
  } catch (error) {
    dispose()
    throw error
  }
  return {
    namespace,
    address,
    hosts: ['127.0.0.1 localhost', ...names.map((name) => `${address(name)} ${name}`), ''].join(
      '\n',
    ),
    [Symbol.dispose]: dispose,
  }
}
