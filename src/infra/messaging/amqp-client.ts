import type { ChannelModel, ConfirmChannel, Options } from 'amqplib';
import { within } from './within.ts';

/** What a message is on the wire. `id` names it in what the broker sends back. */
export interface AmqpMessage {
  readonly id: string;
  readonly queue: string;
  readonly content: Buffer;
  readonly options: Options.Publish;
}

/** A message that is on its way. */
interface Publication {
  isReturned: boolean;
}

/** One connection with the channel that all messages go through, each confirmed by the broker. */
export class AmqpClient {
  readonly #connection: ChannelModel;
  readonly #channel: ConfirmChannel;
  readonly #confirmMs: number;
  /** By their ids: of a run that was given up, and is tried again, two may be on their way; in the order in which they were sent. */
  readonly #publications = new Map<string, Publication[]>();
  readonly #declaring = new Map<string, Promise<void>>();
  #lastDeclared: Promise<void> = Promise.resolve();

  constructor(connection: ChannelModel, channel: ConfirmChannel, confirmMs: number) {
    this.#connection = connection;
    this.#channel = channel;
    this.#confirmMs = confirmMs;
    channel.on('return', ({ properties }) => this.#returned(String(properties.messageId)));
  }

  /** Answers false where there is no such queue. Rejects where the broker refused the message or went away, with TookTooLong where it did not confirm it. */
  async publish({ id, queue, content, options }: AmqpMessage): Promise<boolean> {
    const publication: Publication = { isReturned: false };
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const sent = { ...options, messageId: id, mandatory: true };
    this.#channel.sendToQueue(queue, content, sent, (error) => {
      this.#forget(id, publication);
      if (error) reject(error);
      else resolve();
    });
    this.#publications.set(id, [...(this.#publications.get(id) ?? []), publication]);
    await within(this.#confirmMs, promise);
    return !publication.isReturned;
  }

  /** Makes a queue where there is none; those who ask meanwhile wait for the same, and queues are made one after the other. */
  declare(queue: string, options: Options.AssertQueue): Promise<void> {
    const known = this.#declaring.get(queue);
    if (known !== undefined) return known;
    const declaring = within(
      this.#confirmMs,
      this.#lastDeclared.then(() => this.#declare(queue, options)),
    ).finally(() => this.#declaring.delete(queue));
    this.#declaring.set(queue, declaring);
    this.#lastDeclared = declaring.catch(() => undefined);
    return declaring;
  }

  /** On a channel of its own, as a refusal ends it. */
  async #declare(queue: string, options: Options.AssertQueue): Promise<void> {
    const channel = await this.#connection.createChannel();
    channel.on('error', () => undefined);
    await channel.assertQueue(queue, options);
    channel.close().catch(() => undefined);
  }

  /** Comes before the confirmation. */
  #returned(id: string): void {
    const first = this.#publications.get(id)?.find(({ isReturned }) => !isReturned);
    if (first !== undefined) first.isReturned = true;
  }

  #forget(id: string, publication: Publication): void {
    const others = (this.#publications.get(id) ?? []).filter((other) => other !== publication);
    if (others.length === 0) this.#publications.delete(id);
    else this.#publications.set(id, others);
  }
}
