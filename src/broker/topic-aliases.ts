/** Topic aliases of one connection, as its client sets them (3.3.2.3.4). */
import { RelayError } from '../errors.ts'
import { LIMITS } from '../limits.ts'

export class TopicAliases {
  readonly #topics = new Map<number, string>()
  #chars = 0

  /**
   * The topic that a PUBLISH is for.
   * @param topic empty where the alias stands for it
   * @throws TOPIC_ALIAS for an alias of 0, or beyond `topicAliasMax` [MQTT-3.3.2-8] [MQTT-3.3.2-9],
   *   or where all topics together are longer than `topicAliasCharsMax`
   * @throws PROTOCOL_ERROR for one that the client has not set
   */
  resolve(topic: string, alias: number | undefined): string {
    if (alias === undefined) return topic
    if (alias === 0 || alias > LIMITS.topicAliasMax) {
      throw new RelayError(
        'TOPIC_ALIAS',
        `topic alias ${alias}; 1 to ${LIMITS.topicAliasMax} are allowed`,
      )
    }
    if (topic !== '') {
      this.#set(alias, topic)
      return topic
    }
    const known = this.#topics.get(alias)
    if (known === undefined) {
      throw new RelayError('PROTOCOL_ERROR', `topic alias ${alias} has not been set`)
    }
    return known
  }

  #set(alias: number, topic: string): void {
    this.#chars += topic.length - (this.#topics.get(alias)?.length ?? 0)
    if (this.#chars > LIMITS.topicAliasCharsMax) {
      const says = `topics with an alias have ${this.#chars} characters; at most ${LIMITS.topicAliasCharsMax} are allowed in all`
      throw new RelayError('TOPIC_ALIAS', says)
    }
    this.#topics.set(alias, topic)
  }
}
