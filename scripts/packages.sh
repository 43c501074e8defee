# Installs what is missing, by apt, and says so. Sourced; needs say.sh.

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

require_root() {
    [ "$(id -u)" = 0 ] || die "$1 needs root, for namespaces, mounts, cgroups and network interfaces: run it with sudo"
}

# Arguments: WHAT=PACKAGE, where WHAT is a program in PATH or an absolute path.
install_missing() {
    local pair what missing=()
    for pair in "$@"; do
        what=${pair%%=*}
        case "$what" in
            /*) [ -e "$what" ] || missing+=("${pair#*=}") ;;
            *) command -v "$what" > /dev/null || missing+=("${pair#*=}") ;;
        esac
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    command -v apt-get > /dev/null \
        || die "missing: ${missing[*]} (names of Debian's packages). There is no apt-get here: install them by hand"
    [ "$(id -u)" = 0 ] || die "missing packages: ${missing[*]}. Install them, or run this command as root once"
    say "installing ${missing[*]}"
    apt-get update -qq || die "apt-get update failed: is the archive reachable?"
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null \
        || die "apt-get could not install ${missing[*]}"
}

# A busybox that runs alone in an image: statically linked, with the web server.
has_static_busybox() {
    local path
    path=$(command -v busybox) || return 1
    ! ldd "$path" > /dev/null 2>&1 && "$path" --list | grep -x httpd > /dev/null
}

install_busybox() {
    has_static_busybox || install_missing /usr/share/doc/busybox-static=busybox-static
}

install_for_demo() {
    # Either runtime will do.
    command -v crun > /dev/null || install_missing runc=runc
    install_missing conmon=conmon
    install_busybox
}

# Arguments: those of the bench, which tell what it needs.
install_for_bench() {
    install_missing conmon=conmon /usr/lib/cni/bridge=containernetworking-plugins ip=iproute2
    case " $* " in
        *" crun "* | *"=crun "*) install_missing crun=crun ;;
        *) install_missing runc=runc ;;
    esac
    case " $* " in *" --against-containerd "*) install_missing containerd=containerd ctr=containerd ;; esac
    case " $* " in *" pull "*) install_missing docker-registry=docker-registry skopeo=skopeo ;; esac
    install_busybox
}

install_for_unit_tests() {
    install_missing mvn=maven
}

install_for_package_test() {
    install_missing debootstrap=debootstrap
}

install_for_root_tests() {
    install_missing runc=runc crun=crun conmon=conmon /usr/lib/cni/bridge=containernetworking-plugins \
        docker-registry=docker-registry skopeo=skopeo ip=iproute2 iptables=iptables nft=nftables ping=iputils-ping \
        mkfs.ext4=e2fsprogs openssl=openssl git=git criu=criu umoci=umoci getfattr=attr setcap=libcap2-bin \
        htpasswd=apache2-utils faketime=faketime containerd-shim-runc-v2=containerd runsc=runsc \
        chromium=chromium chromedriver=chromium-driver /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf=fonts-dejavu-core
    install_busybox
}
