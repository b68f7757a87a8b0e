/** One piece of work at a time, in the order asked: two writers of one process are two writers. */
export class Exclusive {
  #tail: Promise<unknown> = Promise.resolve()

  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(work, work)
    this.#tail = result.catch(() => {})
    return result
  }
}
