"""What commands need of the machine, found where programs are called."""

import pytest

from vhpipe.command.host_hints import may_need_host
from vhpipe.command.host_needs import needs_of_host


@pytest.mark.parametrize(
    ("text", "needs"),
    [
        ("sudo -E -u root apt-get install -y x", "rights:sudo machine:apt-get_install"),
        ("apt update && apt-get -qq install x", "machine:apt_update machine:apt-get_install"),
        ("if true; then su - me; fi", "rights:su"),
        ("timeout 5 sudo ls", "rights:sudo"),
        ("bash -lc 'npm i -g x'", "machine:npm_i_-g"),
        ("x=$(sudo cat /etc/x)", "rights:sudo"),
        ("DEBIAN_FRONTEND=noninteractive nohup yum -y install x &", "machine:yum_install"),
        ("sshfs me@there: /mnt && rclone mount a: b", "mounts:sshfs mounts:rclone_mount"),
        ("fusermount -u /mnt", "mounts:fusermount"),
        ("podman run x", "rootless:podman"),
        ("docker run --rm -v /valohai/outputs:/o x", "daemon:docker_run_-v"),
        ('docker run -v "$VH_INPUTS_DIR/a":/i x', "daemon:docker_run_-v"),
        ("docker run --volume=${VH_OUTPUTS_DIR}:/i x", "daemon:docker_run_-v"),
        ("docker run -v $(pwd):/i x", "daemon:docker_run_-v"),
        ("docker run --mount type=bind,source=/valohai/inputs,target=/i x", "daemon:docker_run_-v"),
        ("conda install -y x; conda env update -f e.yaml", "machine:conda_install machine:conda_env"),
        ("mamba create -n x", "machine:mamba_create"),
        ("git config --global user.name me", "machine:git_config_--global"),
        ("dpkg -i x.deb; yarn global add x", "machine:dpkg_-i machine:yarn_global"),
        ("cargo install y", "machine:cargo_install"),
        ("cat > x <<EOF\nhere\nEOF\nsudo ls", "rights:sudo"),
    ],
)  # fmt: skip
def test_what_a_command_needs_is_found_where_it_is_called(text: str, needs: str) -> None:
    assert [f"{need.kind}:{need.word.replace(' ', '_')}" for need in needs_of_host(text)] == needs.split()
    assert may_need_host(text)


@pytest.mark.parametrize(
    "text",
    [
        "if ! command -v sudo; then echo sudo; fi",
        "which apt-get",
        "echo 'apt-get install x' # sudo apt install",
        "python train.py --mount apt --user su",
        "cat > install.sh <<'EOF'\nsudo apt-get install x\nEOF",
        "cat <<-A <<B\n\tsudo x\n\tA\nmount y\nB",
        "apt list; apt-get --version; apt-cache search x",
        "npm install; npm ci; conda list; conda env list; git config user.name me",
        "conda create -y -p ./env python; conda install --prefix=./env x; cargo install --root . x",
        "docker run -v $VH_HOST_OUTPUTS_DIR:/o x",
        "docker run -v /data:/d -v named:/n x; docker build .",
        "pip install x; python -m pip install y; uv pip install z",
        "./sudo.py; ls /usr/bin/sudo",
    ],
)
def test_what_is_only_named_is_no_need(text: str) -> None:
    assert needs_of_host(text) == ()


def test_most_commands_are_not_looked_at_closely() -> None:
    assert not may_need_host("python train.py --epochs 3 && cp model.pt $VH_OUTPUTS_DIR")

PLAIN = """
sudo su doas pkexec mount umount fusermount3 sshfs s3fs gcsfuse goofys geesefs blobfuse2 mount-s3 ossfs bindfs encfs
gocryptfs squashfuse archivemount ntfs-3g podman buildah add-apt-repository useradd adduser groupadd usermod
"""
INSTALLERS = """
aptitude install|dnf install|zypper in|apk add|pnpm add -g|yarn global add|micromamba create -n|gem install|go install|
snap install|brew install|rpm -ivh|pacman -S|git config --system|sysctl -w|juicefs mount
"""


@pytest.mark.parametrize("words", [*PLAIN.split(), *INSTALLERS.replace("\n", "").split("|")])
def test_every_word_is_seen_at_the_first_look(words: str) -> None:
    assert needs_of_host(f"{words} x")
    assert may_need_host(f"{words} x")
