package io.berth.network.cni;

import io.berth.base.RuntimeFault;
import java.util.OptionalInt;

/** A CNI plugin failed, or could not be run. The message names plugin, verb, sandbox, reason and code. */
public final class CniFault extends RuntimeFault {

    private static final int UNSUPPORTED_VERSION = 1;
    private static final int INVALID_CONFIG = 7;
    private static final int TRY_AGAIN = 11;
    private static final int NOT_AVAILABLE = 50;
    private static final int LIMITED = 51;

    private final String plugin;
    private final transient OptionalInt code;

    CniFault(Kind kind, String plugin, OptionalInt code, String message, Throwable cause) {
        super(kind, message, cause);
        this.plugin = plugin;
        this.code = code;
    }

    /** What a plugin that answered an error said. Source: the CNI specification, section 5, "Error". */
    static CniFault answered(String plugin, String action, int code, String text, String details) {
        String words = action + ": " + text + (details.isEmpty() ? "" : ": " + details) + " (code " + code + ")";
        return new CniFault(kindOf(code), plugin, OptionalInt.of(code), words, null);
    }

    static CniFault failed(Kind kind, String plugin, String action, String reason, Throwable cause) {
        return new CniFault(kind, plugin, OptionalInt.empty(), action + ": " + reason, cause);
    }

    private static Kind kindOf(int code) {
        return switch (code) {
            case UNSUPPORTED_VERSION, INVALID_CONFIG -> Kind.FAILED_PRECONDITION;
            case TRY_AGAIN, NOT_AVAILABLE, LIMITED -> Kind.UNAVAILABLE;
            default -> Kind.INTERNAL;
        };
    }

    /** The plugin's type. */
    public String plugin() {
        return plugin;
    }

    /** The error code that the plugin answered, empty when it gave none. */
    public OptionalInt code() {
        return code;
    }
}
