import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { meilisearchCommand } from '../harness/meilisearch.ts'
import type { Program } from '../../docker/bundle-program.ts'
import { REPO } from '../docs/markdown.ts'
import { startContained, type Contained, type Container } from '../images/contained.ts'
import { buildBundles, imageOf } from '../images/image.ts'
import { programOf, type ComposeFile, type Service } from './compose-file.ts'
import { createNetwork, type Network } from './network.ts'

/** Applets that the script of the guard, and the stock image's entrypoint, find in alpine. */
const APPLETS = ['sh', 'mkfifo', 'rm', 'sleep', 'wget']

/**
 * Runs the services of a compose file as processes: each in a network namespace and a read-only root
 * of its own, with its volumes at their paths, as uid 1000. What it leaves out: limits, restarts, and
 * the service that gives the volumes to that uid, since here they are its own.
 */
export class Engine implements AsyncDisposable {
  readonly #file: ComposeFile
  readonly #root: string
  readonly #network: Network
  readonly #running = new Map<string, Contained>()
  readonly #said: string[] = []

  private constructor(file: ComposeFile, root: string, network: Network) {
    this.#file = file
    this.#root = root
    this.#network = network
  }

  static async create(file: ComposeFile, root: string): Promise<Engine> {
    await buildBundles(join(root, 'bundles'))
    for (const volume of Object.keys(file.volumes)) {
      await mkdir(join(root, 'volumes', volume), { recursive: true })
    }
    const names = Object.keys(file.services)
    const network = createNetwork(names)
    await writeFile(join(root, 'hosts'), network.hosts)
    await writeFile(join(root, 'nsswitch.conf'), 'hosts: files\n')
    await writeFile(join(root, 'resolv.conf'), 'nameserver 127.0.0.1\n')
    const wrapper = join(root, 'meilisearch')
    const words = meilisearchCommand().map((word) => `'${word}'`)
    await writeFile(wrapper, `#!/bin/sh\nexec ${words.join(' ')} "$@"\n`)
    await chmod(wrapper, 0o755)
    return new Engine(file, root, network)
  }

  /** Starts services, what they depend on first. */
  async up(...names: string[]): Promise<void> {
    for (const name of names) {
      const service = this.#service(name)
      if (this.#running.get(name)?.running() || name === 'volumes') continue
      for (const [needed, { condition }] of Object.entries(service.depends_on ?? {})) {
        await this.up(needed)
        if (condition !== 'service_completed_successfully' || needed === 'volumes') continue
        const exit = await this.#running.get(needed)?.exited
        if (exit?.code !== 0) throw new Error(`${needed} ended: ${this.said()}`)
      }
      this.#running.set(name, startContained(this.#container(name, service)))
    }
  }

  /** SIGTERM to its first process, and waits for the end, as `stop` does. */
  async stop(name: string): Promise<void> {
    const child = this.#child(name)
    await child.signal('SIGTERM')
    await child.exited
    this.#said.push(`--- ${name}\n${child.output()}`)
  }

  /** SIGKILL to all of them at once. */
  async kill(...names: string[]): Promise<void> {
    await Promise.all(names.map((name) => this.#child(name)[Symbol.asyncDispose]()))
    this.#said.push(...names.map((name) => `--- ${name}\n${this.#child(name).output()}`))
  }

  /** Runs the health check of a service in its container; its exit code. */
  async health(name: string): Promise<number | null> {
    const service = this.#service(name)
    const [, ...command] = service.healthcheck?.test ?? []
    const container = this.#container(name, service)
    await using check = startContained({ ...container, command })
    return (await check.exited).code
  }

  url(name: string, port: number): string {
    return `http://${this.#network.address(name)}:${port}`
  }

  said(): string {
    const now = [...this.#running].map(([name, child]) => `--- ${name}\n${child.output()}`)
    return [...this.#said, ...now].join('\n')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#running.values()].map((child) => child[Symbol.asyncDispose]()))
    this.#network[Symbol.dispose]()
  }

  #service(name: string): Service {
    const service = this.#file.services[name]
    if (!service) throw new Error(`no service ${name}`)
    return service
  }

  #child(name: string): Contained {
    const child = this.#running.get(name)
    if (!child) throw new Error(`${name} was not started`)
    return child
  }

  #container(name: string, service: Service): Container {
    const mounts = (service.volumes ?? []).map(({ type, source, target, read_only = false }) => ({
      source: type === 'bind' ? join(REPO, 'docker', source) : join(this.#root, 'volumes', source),
      target,
      readOnly: read_only,
    }))
    const etc = ['hosts', 'nsswitch.conf', 'resolv.conf'].map((file) => ({
      source: join(this.#root, file),
      target: `/etc/${file}`,
      readOnly: true,
    }))
    const container: Container = {
      command: [...(service.entrypoint ?? []), ...service.command],
      env: { PATH: '/bin:/sbin:/usr/local/sbin', ...service.environment },
      mounts: [...etc, ...mounts],
      tmpfs: (service.tmpfs ?? []).map((path) => path.split(':')[0] as string),
      hostname: name,
      network: this.#network.namespace(name),
    }
    const program = programOf(service)
    return program
      ? imageOf(join(this.#root, 'bundles'), program as Program, container)
      : { ...container, ...this.#foreign(service, container) }
  }

  /** The images of others: what is in them that their commands need. */
  #foreign({ image }: Service, { mounts = [] }: Container): Partial<Container> {
    const file = (source: string, target: string) => ({ source, target, readOnly: true })
    const links = Object.fromEntries(APPLETS.map((applet) => [`/bin/${applet}`, 'busybox']))
    const busybox = file('/bin/busybox', '/bin/busybox')
    if (image.startsWith('haproxy:')) {
      const haproxy = file('/usr/sbin/haproxy', '/usr/local/sbin/haproxy')
      return { links, mounts: [busybox, haproxy, ...mounts] }
    }
    const real = process.env['MEILISEARCH_BIN']
    const meilisearch = file(real ?? join(this.#root, 'meilisearch'), '/bin/meilisearch')
    const checkout = real ? [] : [file(REPO, REPO)]
    const tini = file('/usr/bin/tini', '/sbin/tini')
    return {
      links,
      cwd: '/meili_data',
      mounts: [busybox, tini, meilisearch, ...checkout, ...mounts],
    }
  }
}
