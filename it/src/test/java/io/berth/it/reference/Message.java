package io.berth.it.reference;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The words of a failure as the source puts them together: text, and between it the names of what is known only when it
 * happens.
 */
record Message(List<Part> parts) {

    sealed interface Part {

        record Text(String words) implements Part {}

        /** @param name as in the source; the key when a value is put in its place */
        record Open(String name) implements Part {}
    }

    static Message text(String words) {
        return new Message(List.of(new Part.Text(words)));
    }

    static Message open(String name) {
        return new Message(List.of(new Part.Open(name)));
    }

    Message then(Message next) {
        List<Part> all = new ArrayList<>(parts);
        all.addAll(next.parts);
        return new Message(List.copyOf(all));
    }

    /** With what is known of open parts in their place. */
    Message with(Map<String, Message> known) {
        Message all = new Message(List.of());
        for (Part part : parts) {
            all = all.then(part instanceof Part.Open open && known.containsKey(open.name()) ? known.get(open.name())
                    : new Message(List.of(part)));
        }
        return all;
    }

    boolean isOpenAt(String name) {
        return parts.contains(new Part.Open(name));
    }

    /** Whether it says anything by itself. */
    boolean saysSomething() {
        return parts.stream().anyMatch(part -> part instanceof Part.Text text && text.words().matches("(?s).*[a-z]{2}.*"));
    }

    @Override
    public String toString() {
        StringBuilder all = new StringBuilder();
        for (Part part : parts) {
            all.append(switch (part) {
                case Part.Text text -> text.words();
                case Part.Open open -> "<" + words(open.name()) + ">";
            });
        }
        return all.toString().replaceAll("\\s+", " ").strip();
    }

    // graceSeconds and MOST_BYTES are names for programmers.
    private static String words(String name) {
        return name.replaceAll("([a-z0-9])([A-Z])", "$1 $2").replace('_', ' ')
                .toLowerCase(java.util.Locale.ROOT).replaceFirst("^get ", "");
    }
}
