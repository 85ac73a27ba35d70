package io.resup;

import java.util.function.ToIntFunction;

/** Finds enum constants by the codes of the C API. */
final class Codes {
    private Codes() {
    }

    /**
     * Finds the constant with this code.
     *
     * @throws IllegalStateException  there is none: the native library does not fit these classes
     */
    static <E> E find(String type, E[] constants, ToIntFunction<E> codeOf, int code) {
        for (E constant : constants)
            if (codeOf.applyAsInt(constant) == code)
                return constant;
        throw new IllegalStateException("the native library sent the code " + code + ", and no " + type + " has it");
    }
}
