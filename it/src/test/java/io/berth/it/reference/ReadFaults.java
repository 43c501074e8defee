package io.berth.it.reference;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.ExpressionTree;
import com.sun.source.tree.MethodInvocationTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.NewClassTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreeScanner;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/** Finds in source files what they fail with, by the Java compiler's own reading of them. */
final class ReadFaults {

    /**
     * One way to fail.
     *
     * @param kind of RuntimeFault or, of the command, of its exit codes; empty where that of the cause is kept or it is decided
     *     when it happens
     */
    record Found(String kind, Message message) implements Comparable<Found> {

        @Override
        public int compareTo(Found other) {
            int words = message.toString().compareToIgnoreCase(other.message.toString());
            return words != 0 ? words : kind.compareTo(other.kind);
        }
    }

    private static final Map<String, String> SHORT = Map.of("invalid", "INVALID_ARGUMENT", "notFound", "NOT_FOUND",
            "precondition", "FAILED_PRECONDITION", "unsupported", "UNSUPPORTED", "internal", "INTERNAL", "during", "");

    private ReadFaults() {}

    static TreeSet<Found> in(List<Path> files) throws IOException {
        TreeSet<Found> all = new TreeSet<>();
        var compiler = ToolProvider.getSystemJavaCompiler();
        try (StandardJavaFileManager sources = compiler.getStandardFileManager(null, null, null)) {
            JavacTask task = (JavacTask) compiler.getTask(null, sources, null, List.of("-proc:none"), null,
                    sources.getJavaFileObjectsFromPaths(files));
            for (CompilationUnitTree file : task.parse()) {
                all.addAll(inFile(file));
            }
        }
        return all;
    }

    private static List<Found> inFile(CompilationUnitTree file) {
        ReadMessage reading = new ReadMessage(constants(file));
        // A method that makes a fault of its arguments is known by its name to the rest of the file.
        Map<String, Maker> makers = new LinkedHashMap<>();
        new TreeScanner<Void, Void>() {
            @Override
            public Void visitMethod(MethodTree method, Void none) {
                if (method.getReturnType() != null && method.getReturnType().toString().endsWith("Fault")) {
                    List<Found> made = collect(method.getBody(), reading, Map.of());
                    List<String> names = method.getParameters().stream().map(each -> each.getName().toString()).toList();
                    List<Found> open = made.stream().filter(each -> names.stream().anyMatch(each.message::isOpenAt)).toList();
                    if (!open.isEmpty()) {
                        makers.put(method.getName().toString(), new Maker(names, open));
                    }
                }
                return super.visitMethod(method, none);
            }
        }.scan(file, null);
        List<Found> found = collect(file, reading, makers);
        // What a maker makes is told where it is called; one that only others call stays as it is.
        return found.stream().filter(each -> each.message.saysSomething()).toList();
    }

    private record Maker(List<String> parameters, List<Found> made) {}

    private static List<Found> collect(Tree tree, ReadMessage reading, Map<String, Maker> makers) {
        List<Found> found = new ArrayList<>();
        java.util.Set<String> called = new java.util.HashSet<>();
        Map<String, List<Found>> own = new HashMap<>();
        new TreeScanner<Void, Void>() {
            private String inside = "";

            @Override
            public Void visitMethod(MethodTree method, Void none) {
                String before = inside;
                inside = method.getName().toString();
                super.visitMethod(method, none);
                inside = before;
                return null;
            }

            private void add(Found each) {
                if (makers.containsKey(inside)) {
                    own.computeIfAbsent(inside, name -> new ArrayList<>()).add(each);
                } else {
                    found.add(each);
                }
            }

            @Override
            public Void visitNewClass(NewClassTree made, Void none) {
                if (made.getIdentifier().toString().endsWith("Fault") && made.getArguments().size() >= 2) {
                    add(new Found(kind(made.getArguments().getFirst()), reading.of(made.getArguments().get(1))));
                }
                return super.visitNewClass(made, none);
            }

            @Override
            public Void visitMethodInvocation(MethodInvocationTree call, Void none) {
                fault(call, reading).ifPresent(this::add);
                Maker maker = makers.get(call.getMethodSelect().toString());
                if (maker != null && maker.parameters.size() == call.getArguments().size()) {
                    called.add(call.getMethodSelect().toString());
                    Map<String, Message> known = new HashMap<>();
                    for (int i = 0; i < maker.parameters.size(); i++) {
                        known.put(maker.parameters.get(i), reading.of(call.getArguments().get(i)));
                    }
                    maker.made.forEach(each -> add(new Found(each.kind, each.message.with(known))));
                }
                return super.visitMethodInvocation(call, none);
            }
        }.scan(tree, null);
        own.forEach((maker, made) -> {
            if (!called.contains(maker)) {
                found.addAll(made);
            }
        });
        return found;
    }

    private static Optional<Found> fault(MethodInvocationTree call, ReadMessage reading) {
        String method = call.getMethodSelect().toString();
        List<? extends ExpressionTree> arguments = call.getArguments();
        if (arguments.isEmpty()) {
            return Optional.empty();
        }
        if (method.equals("table.problem")) {
            return Optional.of(new Found("INVALID_ARGUMENT",
                    Message.text("read configuration: ").then(reading.of(arguments.getFirst()))));
        }
        String name = method.startsWith("RuntimeFault.") ? method.substring("RuntimeFault.".length()) : "";
        if (!SHORT.containsKey(name)) {
            return Optional.empty();
        }
        Message message = reading.of(arguments.getFirst());
        return Optional.of(new Found(SHORT.get(name), name.equals("during")
                ? message.then(Message.text(": ")).then(Message.open("reason")) : message));
    }

    private static String kind(ExpressionTree argument) {
        String text = argument.toString();
        return text.matches("(RuntimeFault\\.)?(Kind|ExitCode)\\.[A-Z_]+") ? text.substring(text.lastIndexOf('.') + 1) : "";
    }

    private static Map<String, String> constants(CompilationUnitTree file) {
        Map<String, String> constants = new HashMap<>();
        new TreeScanner<Void, Void>() {
            @Override
            public Void visitVariable(VariableTree variable, Void none) {
                String name = variable.getName().toString();
                if (variable.getInitializer() != null && name.matches("[A-Z][A-Z_0-9]*")) {
                    Message value = new ReadMessage(constants).of(variable.getInitializer());
                    if (value.parts().stream().allMatch(Message.Part.Text.class::isInstance)
                            && variable.getType().toString().equals("String")) {
                        constants.put(name, value.toString());
                    }
                }
                return super.visitVariable(variable, none);
            }
        }.scan(file, null);
        return constants;
    }
}
