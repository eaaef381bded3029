"""Renders the clips that a board speaks with. Run by hand, and only when the words change:

    apt-get install festival festvox-ru festvox-us-slt-hts sox opus-tools
    python -m deploy.voices.render            writes app/board/voices
    python -m deploy.voices.render --script   prints what each clip says, for a studio

Both voices may be used freely (their licences are like BSD's); the recordings are ours. The chime is computed.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.voices.words import clips

VOICES = Path(__file__).parents[2] / "app" / "board" / "voices"
SPEAKERS = {"ru": "voice_msu_ru_nsh_clunits", "en": "voice_cmu_us_slt_arctic_hts"}

SILENCE = "silence 1 0.01 0.3%"
"""What sox takes for silence at the beginning of a clip: less than 0.3 % for 10 ms."""
TIDIED = f"gain -n -3 {SILENCE} reverse {SILENCE} fade t 0.02 reverse fade t 0.004 pad 0 0.07"
"""As loud as the others, from the first sound to the last, and a breath after it."""
SLOWED = "tempo -s 0.8 pad 0 0.08"
"""A letter or a digit is over before an ear is ready for it, so it is said more slowly."""
WAV = ("-r", "24000", "-c", "1", "-b", "16")
CODED = ("--quiet", "--bitrate", "24", "--padding", "0", "--serial", "15", "--discard-comments")


def main() -> None:
    """Render everything, or print the script."""
    if "--script" in sys.argv:
        for language in SPEAKERS:
            for name, words in clips(language).items():
                sys.stdout.write(f"{language}/{name}.ogg\t{words.replace('+', '')}\n")
        return
    with TemporaryDirectory(prefix="voices-") as scratch:
        _write_chime(Path(scratch))
        for language in SPEAKERS:
            _write_voice(language, Path(scratch))


def _write_voice(language: str, scratch: Path) -> None:
    words = clips(language)
    spoken = "".join(f'(speak "{name}" "{text}")\n' for name, text in words.items())
    program = scratch / f"{language}.scm"
    program.write_text(
        f"({SPEAKERS[language]})\n"
        "(define (speak name text)\n"
        "  (utt.save.wave (utt.synth (eval (list 'Utterance 'Text text)))"
        f' (string-append "{scratch}/" name ".wav") \'riff))\n{spoken}',
        encoding="utf-8",
    )
    subprocess.run(["festival", "-b", str(program)], check=True)
    (VOICES / language).mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: _write_clip(scratch / f"{name}.wav", VOICES / language / f"{name}.ogg"), words))


def _write_clip(spoken: Path, clip: Path) -> None:
    tidy = spoken.with_suffix(".tidy.wav")
    is_short = spoken.stem.startswith("letter-") or len(spoken.stem) == 1
    effects = f"{TIDIED} {SLOWED}" if is_short else TIDIED
    subprocess.run(["sox", "-D", str(spoken), *WAV, str(tidy), *effects.split()], check=True)
    subprocess.run(["opusenc", *CODED, str(tidy), str(clip)], check=True)


def _write_chime(scratch: Path) -> None:
    """Two bells, the second lower and half a second later, each dying away."""
    bells = []
    for name, pitch, wait in (("high", 659.26, 0.0), ("low", 523.25, 0.45)):
        bells.append(str(scratch / f"{name}.wav"))
        overtones = [f"{pitch * times:.2f}" for times in (1, 2, 3)]
        subprocess.run(
            [
                *("sox", "-D", "-n", *WAV, bells[-1]),
                *("synth", "1.1", "sine", overtones[0], "sine", overtones[1], "sine", overtones[2]),
                *("remix", "1v0.7,2v0.2,3v0.1", "fade", "l", "0.005", "1.1", "1.08", "pad", str(wait)),
            ],
            check=True,
        )
    tidy = scratch / "chime.wav"
    subprocess.run(["sox", "-D", "-m", *bells, *WAV, str(tidy), "gain", "-n", "-6"], check=True)
    VOICES.mkdir(parents=True, exist_ok=True)
    subprocess.run(["opusenc", *CODED, str(tidy), str(VOICES / "chime.ogg")], check=True)


if __name__ == "__main__":
    main()
