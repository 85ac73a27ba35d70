// The way to the receiver: a link on which each connection is slow, and which can be cut.

import { once } from "node:events";
import { connect, createServer } from "node:net";

/** What is shorter is no body of a file. */
const SHORT = 4096;

export class Link {
  /** Whether new connections are taken. */
  up = true;
  #server;
  /** How many bytes a second each connection carries to the receiver. */
  rate;
  #sockets = new Set();

  /** Lets each connection carry so many bytes a second to the receiver. */
  static async start(receiver, bytesPerSecond) {
    const link = new Link();
    link.rate = bytesPerSecond;
    link.#server = createServer((client) => {
      if (link.up) link.#pass(client, Number(new URL(receiver.url).port));
      else client.resetAndDestroy();
    });
    link.#server.listen(0, "127.0.0.1");
    await once(link.#server, "listening");
    link.url = `http://127.0.0.1:${link.#server.address().port}/`;
    return link;
  }

  /** Breaks one of the connections that carry bytes of a file. Returns whether there was one. */
  cut() {
    const carrying = [...this.#sockets].find((socket) => socket.carries);
    carrying?.resetAndDestroy();
    return carrying !== undefined;
  }

  /** Breaks all connections, and takes no new ones until it is `up` again. */
  down() {
    this.up = false;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  stop() {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #pass(client, port) {
    const server = connect(port, "127.0.0.1");
    this.#sockets.add(client);
    const end = () => {
      this.#sockets.delete(client);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on("error", end).on("close", end);
    server.pipe(client);
    try {
      for await (const chunk of client) {
        client.carries = chunk.length > SHORT;
        server.write(chunk);
        await new Promise((resolve) => setTimeout(resolve, (chunk.length / this.rate) * 1000));
      }
    } catch {
      // It was cut.
    }
  }
}
