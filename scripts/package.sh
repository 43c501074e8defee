# berth package: a tarball and a Debian package with a Java machine of their own. Sourced; needs say.sh, java.sh,
# packages.sh, build.sh.

# What the program and its libraries use of the JDK; jdk.jcmd is for looking into a daemon that misbehaves.
JVM_MODULES=java.base,java.logging,java.management,java.naming,java.net.http,java.sql,java.xml,jdk.crypto.ec,jdk.httpserver,jdk.jcmd,jdk.jfr,jdk.management,jdk.net,jdk.unsupported,jdk.zipfs

package_usage() {
    cat << END
Usage: berth package [--test] [DIR]
  Builds berth-VERSION-linux-ARCH.tar.gz and berth_VERSION_ARCH.deb into DIR (default: cli/target/packages).
  --test  then installs, upgrades, removes and purges the Debian package in a root made with debootstrap; needs root
END
}

package_version() {
    sed -n '0,/<version>/s/.*<version>\(.*\)<\/version>.*/\1/p' "$BERTH_HOME/pom.xml" | sed 's/-SNAPSHOT//'
}

# $1: the home of the program that is laid out.
lay_out_program() {
    local home=$1
    mkdir -p "$home/bin" "$home/lib" "$home/jvm.options"
    say "linking a Java machine"
    "$JAVA_HOME/bin/jlink" --add-modules "$JVM_MODULES" --strip-debug --no-header-files --no-man-pages --compress zip-0 \
        --output "$home/jvm" || die "jlink failed: the reason is above"
    cp "$TARGET"/cli-*.jar "$TARGET"/lib/*.jar "$home/lib/"
    cp "$BERTH_HOME"/cli/src/main/resources/jvm/*.options "$home/jvm.options/"
    # The natives of the other architecture.
    case "$(uname -m)" in
        x86_64) rm -f "$home"/lib/*linux-aarch_64*.jar ;;
        aarch64) rm -f "$home"/lib/*linux-x86_64*.jar ;;
    esac
    cp "$BERTH_HOME/packaging/launcher" "$home/bin/berth"
    chmod 755 "$home/bin/berth"
    # Archives keep whole seconds, and the cache is only taken for files with the times that it was made with.
    find "$home" -exec touch -h -d "@$(date +%s)" {} +
    train "$home"
}

# $1: the home of the program. Its training run is the demo, as for a build.
train() {
    [ "$(id -u)" = 0 ] && command -v conmon > /dev/null && has_static_busybox || {
        say "no fast start in this package: that takes root, conmon and a static busybox"
        return 0
    }
    say "preparing a fast start (one run of the demo, silently)"
    BERTH_SERVE_OPTIONS="-XX:AOTCacheOutput=$1/berth.aot -Xlog:aot=off -Dberth.rehearsal=true" "$1/bin/berth" demo > "$TARGET/aot-package.log" 2>&1 \
        && [ -s "$1/berth.aot" ] || die "the demo fails with the linked Java machine: see $TARGET/aot-package.log"
}

# $1: the home of the program, $2: where documents go.
lay_out_documents() {
    mkdir -p "$2/doc/berth" "$2/man" "$2/bash-completion/completions"
    cp "$BERTH_HOME/README.md" "$BERTH_HOME/LICENSE" "$BERTH_HOME"/docs/*.md "$BERTH_HOME"/docs/*.png "$BERTH_HOME/packaging/cni/10-berth-bridge.conflist" \
        "$BERTH_HOME/packaging/grafana/berth.json" "$BERTH_HOME/packaging/prometheus/berth.rules.yaml" "$2/doc/berth/"
    "$1/bin/berth" manual "$2/man"
    gzip -9nf "$2"/man/man?/*
    "$1/bin/berth" completion > "$2/bash-completion/completions/berth"
}

# $1: version, $2: architecture, $3: the home of the program, $4: where the package goes.
make_deb() {
    local root=$4/deb size
    mkdir -p "$root/DEBIAN" "$root/usr/lib" "$root/usr/bin" "$root/usr/share" "$root/etc/berth" "$root/lib/systemd/system"
    cp -a "$3" "$root/usr/lib/berth"
    ln -s ../lib/berth/bin/berth "$root/usr/bin/berth"
    lay_out_documents "$3" "$root/usr/share"
    cp "$BERTH_HOME/packaging/config.toml" "$root/etc/berth/config.toml"
    cp "$BERTH_HOME/packaging/systemd/berth.service" "$root/lib/systemd/system/"
    size=$(du -sk "$root" | cut -f1)
    sed -e "s/@VERSION@/$1/" -e "s/@ARCHITECTURE@/$2/" -e "s/@SIZE@/$size/" "$BERTH_HOME/packaging/debian/control" > "$root/DEBIAN/control"
    cp "$BERTH_HOME"/packaging/debian/{conffiles,preinst,postinst,prerm,postrm} "$root/DEBIAN/"
    chmod 755 "$root"/DEBIAN/{preinst,postinst,prerm,postrm}
    dpkg-deb --root-owner-group -Zxz -z3 --build "$root" "$4/berth_$1_$2.deb" > /dev/null || die "dpkg-deb failed"
    rm -rf "$root"
}

run_package() {
    local out=$TARGET/packages test=no argument version architecture work
    for argument in "$@"; do
        case "$argument" in
            -h | --help) package_usage; return ;;
            --test) test=yes ;;
            -*) package_usage >&2; exit 2 ;;
            *) out=$(readlink -m "$argument") ;;
        esac
    done
    find_java
    require_compiler
    ensure_built
    version=$(package_version)
    architecture=$(dpkg --print-architecture 2> /dev/null || uname -m)
    mkdir -p "$out"
    work=$(mktemp -d "$out/work.XXXXXX")
    lay_out_program "$work/berth-$version"
    tar -C "$work" -czf "$out/berth-$version-linux-$architecture.tar.gz" "berth-$version"
    if command -v dpkg-deb > /dev/null; then
        make_deb "$version" "$architecture" "$work/berth-$version" "$work"
        mv "$work"/*.deb "$out/"
    fi
    rm -rf "$work"
    (cd "$out" && ls -l --block-size=M berth-"$version"-* berth_"$version"_*)
    if [ $test = yes ]; then
        require_root "berth package --test"
        install_for_package_test
        "$BERTH_HOME/packaging/test.sh" "$out/berth_${version}_$architecture.deb"
    fi
}
