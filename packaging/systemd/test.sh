#!/bin/bash
# Tries the Debian package $1 on a real systemd: in a virtual machine with Debian 12. In software that takes ten to thirty minutes.
#
#   BERTH_VM=kvm         take the processor's help
#   BERTH_DEBIAN_MIRROR  where debootstrap gets Debian from; its own default without
#   BERTH_KUBELET        a kubelet to run a static pod with, as docs/getting-started.md says; not tried without
#
# Needs root, and debootstrap, qemu-system-x86, e2fsprogs, umoci, skopeo and busybox-static.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
deb=$(readlink -f "$1")
work=$(mktemp -d)
root=$work/root
trap 'rm -rf --one-file-system "$work"' EXIT

# An image of one program, as an OCI archive.
make_image() {
    local tree=$work/tree applet
    mkdir -p "$tree/bin" "$tree/tmp"
    cp "$(command -v busybox)" "$tree/bin/busybox"
    for applet in sh sleep echo; do
        ln -s busybox "$tree/bin/$applet"
    done
    umoci init --layout "$work/layout"
    umoci new --image "$work/layout:check"
    umoci insert --image "$work/layout:check" "$tree/bin" /bin
    umoci config --image "$work/layout:check" --config.env PATH=/bin
    skopeo copy -q "oci:$work/layout:check" "docker-archive:$1:docker.io/library/busybox:check"
}

# This criu runs iptables to keep a pod's network still, and its package does not ask for that.
packages=systemd,systemd-sysv,dbus,udev,kmod,linux-image-amd64,crun,conmon,iproute2,procps,runc,criu,iptables,netbase,curl
debootstrap --variant=minbase --include=$packages bookworm "$root" ${BERTH_DEBIAN_MIRROR:+"$BERTH_DEBIAN_MIRROR"} > "$work/debootstrap.log" \
    || { tail -20 "$work/debootstrap.log"; exit 1; }
mkdir "$root/check"
dpkg-deb -R "$deb" "$work/package"
dpkg-deb --root-owner-group -Zgzip -z1 --build "$work/package" "$root/check/old.deb" > /dev/null
sed -i 's/^Version: .*/&+1/' "$work/package/DEBIAN/control"
dpkg-deb --root-owner-group -Zgzip -z1 --build "$work/package" "$root/check/new.deb" > /dev/null
make_image "$root/check/image.tar"
cp "$here/check.sh" "$here/checkpoint.sh" "$root/check/"
if [ -n "${BERTH_KUBELET:-}" ]; then
    cp "$BERTH_KUBELET" "$root/check/kubelet"
    # The very file of the document.
    sed -n '/^# kubelet.yaml/,/^```/p' "$here/../../docs/getting-started.md" | sed '/^```/d' > "$root/check/kubelet.yaml"
fi
cat > "$root/etc/systemd/system/check.service" << END
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/bash /check/check.sh
ExecStopPost=/usr/bin/systemctl poweroff --force
TimeoutStartSec=infinity
END
mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
ln -s ../check.service "$root/etc/systemd/system/multi-user.target.wants/check.service"
# Its login would hang up the line that the results come over.
ln -s /dev/null "$root/etc/systemd/system/serial-getty@ttyS0.service"
echo check > "$root/etc/hostname"
echo "127.0.0.1 localhost check" > "$root/etc/hosts"
echo "/dev/vda / ext4 defaults 0 1" > "$root/etc/fstab"
truncate -s 4G "$work/disk"
mkfs.ext4 -q -F -d "$root" "$work/disk"

accelerator=tcg,thread=multi
[ "${BERTH_VM:-}" != kvm ] || accelerator=kvm
timeout 3600 qemu-system-x86_64 -accel "$accelerator" -cpu max -m 3072 -smp 2 -nographic -no-reboot \
    -kernel "$root"/boot/vmlinuz-* -initrd "$root"/boot/initrd.img-* \
    -append "root=/dev/vda rw console=ttyS0 quiet panic=5 systemd.show_status=0" \
    -drive "file=$work/disk,if=virtio,format=raw" -nic user,restrict=on,model=virtio < /dev/null
debugfs -R "cat /check/results" "$work/disk" 2> /dev/null | tee "$work/results" | tail -1
grep -q ' passed, 0 failed: with systemd' "$work/results"
