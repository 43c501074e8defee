# Builds the program when it is missing or something changed. Sourced; needs say.sh, java.sh, packages.sh.

TARGET=$BERTH_HOME/cli/target
BUILD_STAMP=$TARGET/built
AOT_CACHE=$TARGET/berth.aot
# Maven 3.8 on Java 25 warns of its own libraries.
MAVEN_QUIET="--sun-misc-unsafe-memory-access=allow --enable-native-access=ALL-UNNAMED"

is_built() {
    [ -e "$BUILD_STAMP" ] && [ -d "$TARGET/lib" ] \
        && [ -z "$(find "$BERTH_HOME"/*/src/main "$BERTH_HOME"/*/pom.xml "$BERTH_HOME/pom.xml" \
            -newer "$BUILD_STAMP" -print -quit)" ]
}

# The jars by name: the ahead-of-time cache is only taken with the class path that it was made with.
class_path() {
    local jar path=""
    for jar in "$TARGET"/cli-*.jar "$TARGET"/lib/*.jar; do
        path+=${path:+:}$jar
    done
    echo "$path"
}

ensure_built() {
    if [ "${BERTH_BUILD:-yes}" = no ]; then
        [ -d "$TARGET/lib" ] || die "nothing is built yet, and BERTH_BUILD=no forbids it"
        return
    fi
    is_built || build
}

build() {
    local begin=$SECONDS started
    require_compiler
    install_missing mvn=maven
    say "building with Java $(java_major "$JAVA_HOME") and Maven; the first time takes a few minutes (downloads)"
    started=$(mktemp)
    # Only what the program is made of. Old jars would stay on the class path beside new ones.
    rm -rf "$TARGET/lib" "$AOT_CACHE"
    (cd "$BERTH_HOME" && MAVEN_OPTS="${MAVEN_OPTS:-} $MAVEN_QUIET" mvn -q -B -Dstyle.color=never -pl cli -am -Dmaven.test.skip=true package) >&2 || {
        rm -f "$started"
        die "the build failed: the reason is above"
    }
    # Stamped with the time of its start: what changed meanwhile is newer.
    touch -r "$started" "$BUILD_STAMP"
    rm -f "$started"
    say "built in $((SECONDS - begin)) s"
    make_aot_cache
}

aot_is_fresh() {
    local part
    [ -s "$AOT_CACHE" ] || return 1
    for part in "$TARGET"/cli-*.jar "$TARGET/lib" "$TARGET"/lib/*; do
        ! [ "$part" -nt "$AOT_CACHE" ] || return 1
    done
}

# The ahead-of-time cache halves the time to the first answer. The training run is the demo, silently. It needs root
# and the demo's programs; without them, or when it fails, Berth starts without the cache.
make_aot_cache() {
    local begin=$SECONDS
    [ "$(id -u)" = 0 ] && command -v conmon > /dev/null && has_static_busybox || return 0
    say "preparing a fast start (one run of the demo, silently)"
    if BERTH_BUILD=no BERTH_SERVE_OPTIONS="-XX:AOTCacheOutput=$AOT_CACHE -Xlog:aot=off -Dberth.rehearsal=true" \
        "$BERTH_HOME/berth" demo > "$TARGET/aot.log" 2>&1 && [ -s "$AOT_CACHE" ]; then
        say "done in $((SECONDS - begin)) s"
    else
        rm -f "$AOT_CACHE"
        say "that did not work, starts take longer; the reason is in $TARGET/aot.log"
    fi
}
