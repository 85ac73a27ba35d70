package io.resup.receiver;

/** A request that cannot be met, with the answer to it. */
final class Refusal extends Exception {
    private static final long serialVersionUID = 1;

    private final transient Answer answer;

    Refusal(int status, String message) {
        this(new Answer(status).message(message).leavingBody());
    }

    Refusal(Answer answer) {
        super(answer.toString(), null, false, false);
        this.answer = answer;
    }

    /** A field whose value is not what it should be. */
    static Refusal ofField(String name, String value) {
        return new Refusal(400, "field '" + Answer.excerpt(name) + "' cannot be '" + Answer.excerpt(value) + "'");
    }

    /** No upload of this owner has the id; whether another's has it nobody is told. */
    static Refusal unknown(String id) {
        return new Refusal(404, "no upload has the id '" + Answer.excerpt(id) + "'");
    }

    /** What is answered. */
    Answer answer() {
        return answer;
    }
}
