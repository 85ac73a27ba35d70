package io.resup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;

/** A channel of the program's own, which stays open. */
final class ChannelSource implements Source {
    private final SeekableByteChannel channel;

    ChannelSource(SeekableByteChannel channel) {
        this.channel = channel;
    }

    @Override
    public long size() throws IOException {
        return channel.size();
    }

    @Override
    public void seek(long offset) throws IOException {
        channel.position(offset);
    }

    @Override
    public int read(byte[] into) throws IOException {
        ByteBuffer room = ByteBuffer.wrap(into);
        while (room.hasRemaining())
            if (channel.read(room) < 0)
                break;
        return room.position();
    }

    @Override
    public void close() {
    }
}
