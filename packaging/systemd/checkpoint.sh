# Sourced by check.sh: containers are written and go on, with the distribution's own criu and runc, on cgroup version 2.

# It counts in memory alone, has written one file and deleted another.
counter='echo mine > /note; busybox rm /bin/echo; i=0; while true; do i=$((i+1)); echo "count $i"; sleep 1; done'
same_files='read note < /note; [ "$note" = mine ] && ! [ -e /bin/echo ]'

# The last number that container $1 has printed.
count() { timeout 60 berth logs "$1" | sed -n 's/^count //p' | tail -1; }
counted() { [ "$(count "$1")" -ge "$2" ]; }
counts() { await 20 counted "$1" "$(($(count "$1") + 2))"; }

# A restore without memory would begin anew; lines of after the checkpoint would be there twice.
counts_on() { timeout 60 berth logs "$1" | awk '/^count/ { if ($2 != ++last) exit 1 } END { exit last < 3 }'; }

of_root_alone() { [ "$(stat -c '%a %u %F' "$1")" = "600 0 regular file" ]; }

# The cgroup of container $1's first process has its id, which is also the name of its bundle.
in_own_cgroup() {
    local id
    id=$(timeout 60 berth inspect "$1" | sed -n 's/.*"id" : "\([0-9a-f]*\)".*/\1/p' | head -1)
    grep "$id" "/proc/$(cat "/run/berth/containers/$id/pid")/cgroup"
}

nothing_of_restores() {
    [ -z "$(ls -A /var/lib/berth/restores /var/lib/berth/checkpoints 2> /dev/null | grep -v :$)" ] \
        && ! grep criu-root /proc/self/mountinfo
}

# Without the parent of all pods for which the client names none: it is made with the first of them, and stays.
cgroups() { find /sys/fs/cgroup -type d -path '*berth*' ! -path /sys/fs/cgroup/berth | sort; }
nothing_of_containers() { ! pgrep -f '^sh -c echo mine' && nothing_of_restores && diff <(echo "$cgroups_before") <(cgroups); }

# $1: a handler.
check_checkpoint() {
    check "$1: run a counter" timeout 180 berth run -d --runtime "$1" --name "count-$1" "$image" sh -c "$counter"
    check "$1: it counts" await 20 counted "count-$1" 3
    check "$1: checkpoint" timeout 180 berth checkpoint "count-$1" "/check/$1.tar"
    check "$1: the archive is root's alone" of_root_alone "/check/$1.tar"
    check "$1: the original counts on" counts "count-$1"
    check "$1: restore" timeout 180 berth run -d --runtime "$1" --name "again-$1" "/check/$1.tar"
    check "$1: nothing of the checkpoint is left on the disk" nothing_of_restores
    check "$1: the restored one has a cgroup of its own" in_own_cgroup "again-$1"
    check "$1: it counts" counts "again-$1"
    check "$1: it counts on from where it was" counts_on "again-$1"
    check "$1: exec finds what it wrote, and not what it deleted" timeout 60 berth exec "again-$1" sh -c "$same_files"
    systemctl restart berth
    check "$1: it counts after a restart of the daemon" counts "again-$1"
    check "$1: checkpoint of the restored one" timeout 180 berth checkpoint "again-$1" "/check/$1-2.tar"
    check "$1: rm -f of it" timeout 180 berth rm -f "again-$1"
    check "$1: restore from that" timeout 180 berth run -d --runtime "$1" --name "third-$1" "/check/$1-2.tar"
    check "$1: it has a cgroup of its own" in_own_cgroup "third-$1"
    check "$1: it counts" counts "third-$1"
    check "$1: it counts on from where it was" counts_on "third-$1"
    check "$1: rm -f of the others" timeout 180 berth rm -f "count-$1" "third-$1"
}

# In directory $1, the archive $2 as an image with the name $3, as an OCI layout.
write_image() {
    local blobs=$1/blobs/sha256 layer config manifest
    blob() {
        local digest
        digest=$(sha256sum < "$1")
        mv "$1" "$blobs/${digest%% *}"
        echo "${digest%% *}"
    }
    described() {
        echo "{\"mediaType\": \"application/vnd.oci.image.$1\", \"digest\": \"sha256:$2\", \"size\": $(stat -c %s "$blobs/$2")"
    }
    mkdir -p "$blobs"
    cp "$2" "$1/layer"
    layer=$(blob "$1/layer")
    echo "{\"architecture\": \"amd64\", \"os\": \"linux\", \"config\": {}," \
        "\"rootfs\": {\"type\": \"layers\", \"diff_ids\": [\"sha256:$layer\"]}}" > "$1/config"
    config=$(blob "$1/config")
    echo "{\"schemaVersion\": 2, \"mediaType\": \"application/vnd.oci.image.manifest.v1+json\"," \
        "\"config\": $(described config.v1+json "$config")}, \"layers\": [$(described layer.v1.tar "$layer")}]," \
        "\"annotations\": {\"org.criu.checkpoint.container.name\": \"counter\"}}" > "$1/manifest"
    manifest=$(blob "$1/manifest")
    echo '{"imageLayoutVersion": "1.0.0"}' > "$1/oci-layout"
    echo "{\"schemaVersion\": 2, \"manifests\": [$(described manifest.v1+json "$manifest")," \
        "\"annotations\": {\"io.containerd.image.name\": \"$3\"}}]}" > "$1/index.json"
}

# $1: pod and container, $2: image, $3: further lines of the container
static_pod() {
    mkdir -p /etc/kubernetes/manifests
    cat > "/etc/kubernetes/manifests/$1.yaml" << END
apiVersion: v1
kind: Pod
metadata: {name: $1, namespace: default}
spec:
  terminationGracePeriodSeconds: 5
  containers:
  - name: $1
    image: "$2"
    imagePullPolicy: Never
${3:-}
END
}

# The kubelet answers with the archive's path. It waits for two minutes, and longer where it is told so.
writes() {
    curl -sk -X POST "https://127.0.0.1:10250/checkpoint/default/counter-$(hostname)/counter?timeout=300" > /check/answer
    cat /check/answer
    grep -F "\"$(kubelet_archive)\"" /check/answer
}

kubelet_archive() { ls /var/lib/kubelet/checkpoints/checkpoint-counter-*_default-counter-*.tar; }

# A kubelet runs: a container is written through its interface, and another pod goes on from that as its image.
check_kubelet_checkpoint() {
    static_pod counter "$image" "    command: [sh, -c, '$counter']"
    check "kubelet: a counter runs" await 60 counted counter 3
    check "kubelet: checkpoint" writes
    check "kubelet: the archive is root's alone" of_root_alone "$(kubelet_archive)"
    check "kubelet: the container counts on" counts counter
    write_image /check/layout "$(kubelet_archive)" localhost/counter:1
    check "kubelet: the archive as an image" timeout 180 berth image import /check/layout
    static_pod again localhost/counter:1
    check "kubelet: a pod whose image is a checkpoint runs" await 60 counted again 3
    check "kubelet: it counts" counts again
    check "kubelet: it counts on from where it was" counts_on again
    check "kubelet: it has a cgroup of its own" in_own_cgroup again
    check "kubelet: nothing of the checkpoint is left on the disk" nothing_of_restores
    rm /etc/kubernetes/manifests/counter.yaml /etc/kubernetes/manifests/again.yaml
    check "kubelet: both go with their manifests" await 180 sh -c '! pgrep -f "^sh -c echo mine"'
}
