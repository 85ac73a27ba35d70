package io.resup;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.util.function.BooleanSupplier;

/** A channel of the program, which stays open. */
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
    public void seek(long offset, BooleanSupplier shouldContinue) throws IOException {
        channel.position(offset);
    }

    @Override
    public int read(byte[] buffer, BooleanSupplier shouldContinue) throws IOException {
        ByteBuffer rest = ByteBuffer.wrap(buffer);
        while (rest.hasRemaining() && shouldContinue.getAsBoolean())
            if (channel.read(rest) < 0)
                break;
        return rest.position();
    }

    @Override
    public void close() {
    }
}
