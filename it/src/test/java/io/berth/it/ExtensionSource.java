package io.berth.it;

import io.berth.extension.Extension;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.ToolProvider;

/** Source of an extension, which a test compiles against the API alone and packs as an operator would. */
record ExtensionSource(String className, String text) {

    /** A class {@code Sample} with this body. */
    static ExtensionSource of(String body) {
        return new ExtensionSource("Sample", """
                import io.berth.extension.*;
                import java.util.*;
                import java.nio.file.*;
                public class Sample implements Extension {
                %s
                }
                """.formatted(body));
    }

    /** The sample of the documentation. */
    static ExtensionSource documented() {
        try {
            String text = Files.readString(Path.of("../docs/extending.md"));
            int from = text.indexOf("```java\n") + "```java\n".length();
            return new ExtensionSource("com.example.Housekeeping", text.substring(from, text.indexOf("```", from)));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Compiles it and packs it as {@code name}.jar in {@code directory}. */
    Path pack(Path directory, String name) {
        try {
            Path work = Files.createTempDirectory("extension");
            String simple = className.substring(className.lastIndexOf('.') + 1);
            Path source = Files.writeString(work.resolve(simple + ".java"), text);
            JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
            Path api = Path.of(Extension.class.getProtectionDomain().getCodeSource().getLocation().getPath());
            Path classes = Files.createDirectory(work.resolve("classes"));
            int code = compiler.run(null, null, System.err, "-cp", api.toString(), "-d", classes.toString(), "-proc:none",
                    source.toString());
            if (code != 0) {
                throw new IllegalStateException("the extension does not compile against the API alone");
            }
            Path jar = directory.resolve(name + ".jar");
            try (OutputStream out = Files.newOutputStream(jar); JarOutputStream archive = new JarOutputStream(out);
                    Stream<Path> files = Files.walk(classes)) {
                archive.putNextEntry(new JarEntry("META-INF/services/io.berth.extension.Extension"));
                archive.write((className + "\n").getBytes());
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    archive.putNextEntry(new JarEntry(classes.relativize(file).toString()));
                    Files.copy(file, archive);
                }
            }
            for (Path each : List.of(source, work)) {
                delete(each);
            }
            return jar;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void delete(Path path) throws IOException {
        if (!Files.exists(path)) {
            return;
        }
        try (Stream<Path> all = Files.walk(path)) {
            for (Path each : all.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.delete(each);
            }
        }
    }
}
