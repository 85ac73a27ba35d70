package io.resup.receiver;

/** The refusal of a request, with the response to it. */
final class Refusal extends Exception {
    private static final long serialVersionUID = 1;

    private final transient JsonResponse response;

    Refusal(int status, String message) {
        this(new JsonResponse(status).message(message).closeConnection());
    }

    Refusal(JsonResponse response) {
        super(response.toString(), null, false, false);
        this.response = response;
    }

    /** Makes the refusal of a field with a wrong value. */
    static Refusal ofField(String name, String value) {
        return new Refusal(400,
                "field '" + JsonResponse.excerpt(name) + "' cannot be '" + JsonResponse.excerpt(value) + "'");
    }

    /** Makes the refusal of an id that no upload of this owner has. It does not say whether another owner has it. */
    static Refusal unknown(String id) {
        return new Refusal(404, "no upload has the id '" + JsonResponse.excerpt(id) + "'");
    }

    /** Returns the response. */
    JsonResponse response() {
        return response;
    }
}
