"""Hostile values in every place of a command, run by real shells: what is let pass may run nothing of its own."""

import random
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from vhpipe.command.script_text import script_text
from vhpipe.command.step_command import build_command, interpolation_problems, placeholders
from vhpipe.config.model import Parameter

SHELLS = [shell for shell in ("bash", "dash") if shutil.which(shell)]
P, Q = "{parameter-value:p}", "{parameter-value:q}"

HOSTILE = (
    "$(touch PWNED)", "`touch PWNED`", '"; touch PWNED; "', "'; touch PWNED; '", "; touch PWNED; #",
    "\ntouch PWNED\n", "a[$(touch PWNED)]", "\\'; touch PWNED; #", "x' $(touch PWNED) '", 'x" $(touch PWNED) "',
    "EOF\ntouch PWNED\nEOF", "$(touch PWNED", ")); touch PWNED; ((", "]] ; touch PWNED ; [[ x", "}; touch PWNED; {",
    "\\", "\\\ntouch PWNED", "'", "touch PWNED", "|touch PWNED", "&touch PWNED", "a[$(touch PWNED)]=1",
    "-Stouch PWNED", "-vtouch PWNED", "<(touch PWNED)", "x;touch${IFS}PWNED", "${x:-$(touch PWNED)}",
    "$((a[$(touch PWNED)]))", "e\ttouch PWNED", "1;touch PWNED", "-ctouch PWNED",
    "-cimport os; os.system('touch PWNED')", "__import__('os').system('touch PWNED')", "BASH_ENV=$(touch PWNED)",
    "a/;e touch PWNED;s/a", 'BEGIN{system("touch PWNED")}', "$(shell touch PWNED)", "--eval=$(shell touch PWNED)",
    "-exec=touch PWNED", "*) touch PWNED ;; x", "\r\ntouch PWNED\r\n", "\x1b$(touch PWNED)", "#\ntouch PWNED",
    "~$(touch PWNED)", "-esystem('touch PWNED')", "-Mstrict;system('touch PWNED')", "touch PWNED|",
    "--eval=require('child_process').execSync('touch PWNED')", "[$(touch PWNED)]=1", "x=([$(touch PWNED)]=1)",
    "-e\nsystem('touch PWNED')", "--import=data:text/javascript,import fs from 'fs'; fs.writeFileSync('PWNED', '')",
    "require('child_process').execSync('touch PWNED')", "system('touch PWNED')",
)  # fmt: skip

SWITCHES = ("-c", "-v", "-e", "-S", "eval", "bash", "EOF", "declare", "-s", "--", "printf")
"""Harmless by themselves, so allowed everywhere; beside a hostile value they may be the key."""

BARE = (
    f"echo {P}", f"X={P}; echo \"$X\"", f"echo --x={P} > out", f"echo $(echo {P})", f'echo "$(echo {P})"',
    f"cat <<< {P}", f"case {P} in {P}) echo {P};; esac", f"case x in x) echo {P};; esac",
    f"for x in {P} b; do echo {P}; done", f"[ {P} = x ]", f"[ -n {P} -a x = {P} ]", f"test {P} -eq 1",
    f"printf '%s %d %b' {P} {P} {P}", f"if [ {P} = x ]; then :; else echo {P}; fi", f"(echo {P})",
    f"{{\n echo {P}; }}", f"cat <(echo {P})", f"echo {P} # it's", f"# it's\necho {P}", f"cat <<EOF\nx\nEOF\necho {P}",
    f"echo a{P}b'c'{P}\"d\"", f"f() {{\n echo {P}\n}}\nf", f"export X={P}", f"env X={P} true", f"echo ${{X:-a}} {P}",
    f"echo {P} &", f"echo $((1 + 2)) {P}", f"echo {P} | cat", f"set -- {P}; echo \"$1\"", f"cd {P}; true",
    f"echo {P} >&2", f"true && echo {P} || true", f"for {P} in a; do :; done", f"{P}", f"{P}=x",
    f"while false; do echo {P}; done", f"time echo {P}", f"exit {P}", f"shift {P}", f"echo \\\n {P}",
    f"[[ a == b ]] || echo {P}", f"echo > {P}", f"sh x.sh {P}", f"bash ./x.sh {P}", f"find . -name {P}",
    f"python3 x.py {P}", f"timeout 5 echo {P}", f"command -v {P}", f"umask {P}", f"kill {P}", f"! echo {P}",
    f"test {P}", f"return {P}", f"a=({P}); echo \"${{a[@]}}\"", f"a+=(x {P} y)", f"a=(x\n{P}\n)", f"a=($(echo {P}))",
    f"python3 -W ignore x.py {P}", f"python3 -Wignore -X dev x.py {P}", f"python3 -c 'pass' {P}",
    f"python3 -Ic pass {P}",
    f"python3 -m this {P}", f"python3 - {P} < x.py", f"python3 - {P} <<'E'\npass\nE", f"python3 -u -O x.py {P} {P}",
    f"perl x.pl {P}", f"perl -w -I lib -Mstrict x.pl {P}", f"perl -e 1 -- {P}", f"perl -e 1 x {P}",
    f"perl -l012 x.pl {P}",
    f"node x.js {P}", f"node --no-warnings --max-old-space-size=64 x.js {P}", f"node -r ./x.js x.js {P}",
    f"node -e 1 -- {P}", f"node -e 1 x {P}", f"node - {P} < x.js", f"Rscript x.R {P}", f"Rscript --vanilla x.R {P}",
    f"Rscript -e 1 x {P}", f"ruby x.rb {P}", f"ruby -w -I lib x.rb {P}", f"php x.php {P}", f"php -d a=b x.php {P}",
    f"julia --project=. x.jl {P}", f"lua x.lua {P}", f"tclsh x.tcl {P}", f"deno run -A x.ts {P}", f"bun run x.ts {P}",
    f"nice -n 5 python3 x.py {P} {P}", f"timeout -k 1 5 perl x.pl {P} {P}", f"nohup nice node x.js {P} {P}",
    f"env -u X A=1 python3 x.py {P} {P}", f"env -C . python3 x.py {P}", f"stdbuf -oL python3 x.py {P} {P}",
    f"echo x | xargs -n 1 python3 x.py {P}", f"echo {P} | xargs -n 1 python3 x.py",
    f"conda run -n x python3 x.py {P} {P}",
    f"uv run --with numpy python3 x.py {P} {P}", f"poetry run python3 x.py {P} {P}", f"srun -N 1 python3 x.py {P} {P}",
    f"mpirun -np 4 python3 x.py {P} {P}", f"torchrun --nproc_per_node 2 x.py {P}", f"accelerate launch x.py {P} {P}",
    f"exec python3 x.py {P}", f"time nice python3 x.py {P} {P}", f"python3 \"$PWD\"/x.py {P}",
    f"docker run i train {P}",
    f"node --stack-size={P} x.js {P}".replace(P, "984", 1),
)  # fmt: skip
"""Places where every value is to be let pass."""

REFUSED = (
    f'echo "{P}"', f"echo '{P}'", f"echo `echo {P}`", f"cat <<EOF\n{P}\nEOF", f"cat <<'EOF'\n{P}\nEOF",
    f"cat <<-EOF\n\t{P}\n\tEOF", f"# {P}", f"echo x # {P}", f"echo $(( {P} ))", f"(( {P} ))",
    f"for ((i={P}; i<1; i++)); do :; done", f"[[ {P} -eq 1 ]]", f"[[ -v {P} ]]", f"eval {P}", f"eval echo {P}",
    f"let {P}", f"declare {P}", f"declare x={P}", f"typeset x={P}", f"read {P} < /dev/null",
    f"f() {{\n local x={P}\n}}; f", f"mapfile {P} < /dev/null", f"trap {P} EXIT", f"printf -v {P} x", f"printf {P} x",
    f"test -v {P}", f"[ -v {P} ]", f"sh -c {P}", f"bash -c {P}", f"bash -ec {P}", f"bash -o pipefail -c {P}",
    f"bash -c 'eval \"$1\"' x {P}", f"exec sh -c {P}", f"command eval {P}", f"builtin eval {P}",
    f"timeout 5 sh -c {P}", f"env sh -c {P}", f"env -S {P}", f"env {P}", f"env -u X {P}", f"env -u X -S {P}",
    f"find . -maxdepth 0 -exec sh -c {P} \\;", f"echo x | xargs -I_ sh -c {P}", f"xargs {P} < /dev/null",
    f"\"eval\" {P}", f"e'va'l {P}", f"\\eval {P}", f"ev\\\nal {P}", f"> out eval {P}", f"eval > out {P}",
    f"eval &> out {P}", f"echo &> out eval {P}", f"x=1 eval {P}", f"if eval {P}; then :; fi",
    f"for i do eval {P}; done", f"case x in x) eval {P};; esac", f"E=eval; $E {P}", f"$(echo eval) {P}",
    f"{{eval,x}} {P}", f"echo \\{P}", f"echo ${P}", f"echo $'a\\'' {P}", f"a[{P}]=1", f"a=([{P}]=1)",
    f"declare -i n; n={P}", f"declare -n n; n={P}; echo $n", f"RANDOM={P}", f"SECONDS={P}", f"PS4={P}; set -x; true",
    f"BASH_ENV={P} bash -c true", f"export BASH_ENV={P}; bash x.sh", f"export {P}; bash x.sh", f"echo {P} | sh",
    f"echo {P} | bash -s", f"sh <<< {P}", f"bash < <(echo {P})", f"(echo {P}) | (sh)",
    f"{{\n echo {P}\n}} | {{\n true; sh; }}", f'eval "$(echo {P})"', f"source <(echo {P})", f". /dev/stdin <<< {P}",
    f'sh -c "$(echo {P})"', f"echo $[ {P} ]", f"echo ${{x:-\n{P}}}", f'echo "${{x:-\n{P}}}"', f"unset {P}",
    f"wait -p {P}", f"alias x={P}", f"coproc {P}", f"compgen -W {P}", f"python3 -c {P}", f"python3 {P}",
    f"python3 -W x -c {P}", f"sed s/a/{P}/e x.sh", f"awk {P}", f"make -f - X={P} <<'E'\nall:\n\t$(X)\nE",
    f'echo "$(case x in x) echo "{P}";; esac)"', f"(case x in x) echo '(';; esac; echo \"{P}\")", f"[[\\\n -v {P} ]]",
    f"cat <<EOF {P}\nEOF", f"cat <<A <<B\n{P}\nA\n{P}\nB", f"cat <<\"E\"OF\n{P}\nEOF", f"x='\n{P}'",
    f"echo \"`echo {P}`\"", f"echo \"$(echo \"{P}\" '{P}')\"", f"echo `echo '{P}'`",
    f"while read x; do eval \"$x\"; done <<EOF\n{P}\nEOF", f"echo \"a\\\"{P}\"", f"echo 'a'\\''{P}'",
    f"declare -i n; n=({P})", f"a=(`echo {P}`)", f"a=(x \"{P}\")", f"PROMPT_COMMAND=({P})", f"declare -a a=({P})",
    f"perl -e {P}", f"perl -e 1 {P}", f"perl -we 1 {P}", f"perl -ne 1 {P}", f"perl -lne 1 x {P}", f"perl -pi -e 1 {P}",
    f"perl {P}", f"perl -I {P} x.pl", f"perl -x x.pl {P}", f"perl -d x.pl {P}", f"node -e {P}", f"node -e 1 {P}",
    f"node -pe 1 {P}", f"node -p {P}", f"node --eval={P}", f"node {P}", f"node -r {P} x.js", f"node --unknown x {P}",
    f"NODE_OPTIONS={P} node x.js", f"PERL5OPT={P} perl x.pl", f"export PERL5OPT={P}; perl x.pl", f"julia -e {P}",
    f"julia {P}", f"Rscript -e {P}", f"Rscript -e 1 {P}", f"Rscript {P}", f"R -e {P}", f"ruby -e 1 {P}",
    f"ruby -ne 1 {P}",
    f"php -r {P}", f"php -r 1 {P}", f"php {P}", f"lua -e {P}", f"deno eval {P}", f"deno {P}", f"python3 -m timeit {P}",
    f"python3 -W {P} x.py", f"python3 -m {P}", f"python3 -c $X {P}", f"python3 -W $X -c {P}", f"python3 -i -c {P}",
    f"nice -n 5 sh -c {P}", f"timeout -k 1 5 python3 -c {P}", f"timeout 5 node -e {P}", f"nohup perl -e {P}",
    f"echo {P} | xargs -I_ sh -c 'echo _'", f"echo {P} | xargs python3", f"echo {P} | xargs perl -e 1",
    f"xargs {P} python3",
    f"echo {P} | xargs env", f"echo {P} | xargs find", f"echo {P} | xargs -I_ python3 -c _",
    f"uv run sh -c {P}", f"poetry run python3 -c {P}", f"env -S {P} python3", f"env -C . sh -c {P}",
    f"sudo node -e {P}",
    f"echo {P} | node -", f"echo {P} | python3 - x", f"echo {P} | perl", f"echo {P} | Rscript -", f"awk {P} x.sh",
    f"/usr/bin/env sh -c {P}", f"awk 'BEGIN{{\nprint \"{P}\"}}'", f"python3 - <<EOF\nprint('{P}')\nEOF",
)  # fmt: skip
"""Places where these values are to be refused."""

TOGETHER = (
    f"{Q} {P}", f"bash {Q} {P}", f"sh {Q} x {P}", f"printf {Q} {P}", f"printf {Q} {P} x", f"[ {Q} {P} ]",
    f"test {Q} {P}", f"env {Q} {P}", f"python3 {Q} {P}", f"timeout 5 {Q} -c {P}", f"command {Q} {P}", f"exec {Q} {P}",
    f"X=1 {Q} {P}", f"if true; then {Q} {P}; fi", f"cat <<EOF\n{Q}\n{P}\nEOF", f"cat <<{Q}\n{P}\n{Q}",
    f"echo {Q} {P}", f"e{Q} {P}", f"! {Q} {P}", f"time {Q} {P}", f"builtin {Q} {P}", f"ba{Q} -c {P}",
    f"nice {Q} {P}", f"nice -n {Q} {P}", f"nice -n {Q} sh {P}", f"timeout {Q} 5 {P}", f"poetry run {Q} {P}",
    f"node {Q} {P}",
    f"perl {Q} {P}", f"perl -e 1 {Q} {P}", f"xargs {Q} {P}", f"uv run {Q} {P}", f"python3 -W {Q} {P}", f"a=({Q} {P})",
    f"a={Q}; $a {P}", f"for i do {Q} {P}; done", f"nohup {Q} -c {P}", f"echo {P} | {Q}", f"find . {Q} {P}",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "x.sh").write_text(":\n")
    (tmp_path / "x.py").write_text("pass\n")
    (tmp_path / "x.pl").write_text("1;\n")
    (tmp_path / "x.js").write_text("1;\n")
    return tmp_path


def cases(places: Sequence[str], others: Sequence[str] = ("fine",)) -> Iterator[tuple[str, str]]:
    """The scripts that are let pass, each with what was put where."""
    parameters = (Parameter("p"), Parameter("q"))
    for place in places:
        for hostile in HOSTILE:
            for other in others:
                values = {"p": hostile, "q": other}
                if not interpolation_problems((place,), parameters, values):
                    yield script_text(build_command((place,), parameters, values)), f"{place!r} with {values}"


def run_all(shell: str, folder: Path, scripts: Sequence[tuple[str, str]]) -> None:
    """Run every script in one folder; only if one did harm look for it, by halves."""
    assert scripts, "nothing was let pass, so nothing is tested"
    for number, (text, _) in enumerate(scripts):
        (folder / f"{number}.case").write_text(text, errors="surrogateescape", newline="")
    loop = f'for f in $(seq 0 {len(scripts) - 1}); do timeout 10 {shell} "$f.case" </dev/null >/dev/null 2>&1; done'
    subprocess.run(["bash", "-c", loop], cwd=folder, timeout=300, check=False)
    if not (folder / "PWNED").exists():
        return
    (folder / "PWNED").unlink()
    if len(scripts) == 1:
        pytest.fail(f"{shell} ran the value of {scripts[0][1]}:\n{scripts[0][0]}")
    run_all(shell, folder, scripts[: len(scripts) // 2])
    run_all(shell, folder, scripts[len(scripts) // 2 :])


@pytest.mark.parametrize("place", BARE)
def test_a_bare_word_takes_any_value(place: str) -> None:
    assert len(list(cases([place]))) == len(HOSTILE)


@pytest.mark.parametrize("place", REFUSED)
def test_other_places_take_only_what_means_itself(place: str) -> None:
    assert [each for each in placeholders(place) if each.bare] == []
    assert next(cases([place]), None) is None


@pytest.mark.parametrize("shell", SHELLS)
def test_a_sample_of_values_in_bare_words_is_not_run(shell: str, folder: Path) -> None:
    chance = random.Random(9)
    together = cases(TOGETHER, chance.sample(SWITCHES, 1))
    run_all(shell, folder, chance.sample([*cases(BARE), *together], 30))


@pytest.mark.long
@pytest.mark.parametrize("part", range(16))
@pytest.mark.parametrize("shell", SHELLS)
def test_no_value_in_a_bare_word_is_run(shell: str, part: int, folder: Path) -> None:
    run_all(shell, folder, list(cases(BARE[part::16])))


@pytest.mark.long
@pytest.mark.parametrize("shell", SHELLS)
def test_no_harmless_value_opens_the_door_for_another(shell: str, folder: Path) -> None:
    run_all(shell, folder, list(cases(TOGETHER, SWITCHES)))


def test_the_hostile_values_are_hostile_and_the_search_finds_them(folder: Path) -> None:
    text = script_text(build_command((f'echo "{P}"',), (Parameter("p"),), {"p": HOSTILE[0]}))
    with pytest.raises(pytest.fail.Exception, match="ran the value of the known one"):
        run_all("bash", folder, [("true\n", "an innocent one"), (text.replace("'", ""), "the known one")])
