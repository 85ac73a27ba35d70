package io.resup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.util.function.BooleanSupplier;

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
    public void seek(long offset, BooleanSupplier wanted) throws IOException {
        channel.position(offset);
    }

    @Override
    public int read(byte[] into, BooleanSupplier wanted) throws IOException {
        ByteBuffer room = ByteBuffer.wrap(into);
        while (room.hasRemaining() && wanted.getAsBoolean())
            if (channel.read(room) < 0)
                break;
        return room.position();
    }

    @Override
    public void close() {
    }
}
