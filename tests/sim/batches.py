"""Several sources compiled as one: headers are read once, and what they instantiate is made once. Without
optimisation that is most of the work.

plan() puts sources together that take the same flags, and keeps those apart that would mean something else in one
another's company: two that declare one name each for itself (another overload would be chosen, or nothing compiles),
and those with a using directive or a macro, which are alone. compile_all() splits in halves what still does not compile."""
import concurrent.futures
import os
import re
import shlex
import subprocess

# Comments, strings and characters: what is in them declares nothing. An apostrophe in a number is none.
QUOTED = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'',
                    re.S)
LEAKS = re.compile(r"^(?:using namespace |#\s*define )", re.M)


class Source:
    def __init__(self, name, command):
        words = shlex.split(command)
        self.object = name
        self.path = words[-1]
        at = words.index("-o")
        words = words[:at] + words[at + 2:-1]
        where = [i for i, w in enumerate(words) if w == "-isystem" or words[i - 1] == "-isystem" or w.startswith("-I")]
        self.includes = [tuple(words[i:i + 2]) if words[i] == "-isystem" else (words[i],)
                         for i in where if words[i - 1] != "-isystem"]
        self.flags = tuple(w for i, w in enumerate(words) if i not in where)
        with open(self.path, encoding="utf-8") as f:
            text = f.read()
        self.size = len(text)
        text = QUOTED.sub(" ", text)
        self.leaks = bool(LEAKS.search(text))
        self.own = own_names(text)
        self.words = set(re.findall(r"\w+", text))


def own_names(text):
    """Names a source declares for itself: in unnamed namespaces, static ones, aliases and using declarations."""
    text = re.sub(r"^\s*#.*(?:\\\n.*)*", "", text, flags=re.M)
    names, spaces, inner, head = {}, [], 0, ""
    for piece in re.split(r"([{};])", text):
        if piece not in ("{", "}", ";"):
            head += " " + piece
            continue
        if inner == 0 and piece != "}":
            opened = re.match(r"\s*(?:inline )?\s*namespace\s*([\w:]*)\s*$", head)
            if opened and piece == "{":
                spaces.append(opened.group(1))
                head = ""
                continue
            names.update(declared(head, "" in spaces))
        if piece == "{":
            inner += 1
        elif piece == "}" and inner:
            inner -= 1
        elif piece == "}" and spaces:
            spaces.pop()
        head = "" if piece == ";" or inner == 0 else head
    return names


def declared(head, unnamed):
    head = re.sub(r"\[\[[^\]]*\]\]", "", head).strip()
    using = re.match(r"(?:using (?!namespace)|namespace )(?:[\w:]*::)?(\w+)", head)
    if using:
        return {using.group(1): " ".join(head.split())}
    if not unnamed and not re.match(r"(?:static|const|constexpr) ", head):
        return {}
    head = re.sub(r"^template\s*<.*?>\s*(?=\w+[ &*])", "", head, flags=re.S)
    kind = re.match(r"(?:struct|class|union|enum(?: class)?)\s+(\w+)", head)
    if kind:
        return {kind.group(1): None}
    more = re.findall(r",\s*(k[A-Z]\w*)\s*=", head)
    before = re.match(r"[^(=]*", re.sub(r"operator\s*\S+?\s*\(", "operator(", head)).group(0)
    words = re.findall(r"\w+", before.split("[")[0])
    return dict.fromkeys(words[-1:] + more)


def changes(one, other):
    """Whether the other, read after this one, uses a name that this one declares for itself; the same alias is none."""
    return any(name in other.words and (meaning is None or other.own.get(name) != meaning)
               for name, meaning in one.own.items())


def plan(sources, characters):
    """Batches of about so many characters at most, each a list of sources; the largest first."""
    batches, alike = [], {}
    for source in sorted(sources, key=lambda s: s.path):
        mine = [] if source.leaks else alike.setdefault((source.object.split("/")[0], source.flags), [])
        for batch in mine:
            if (sum(s.size for s in batch) + source.size <= characters and
                    not any(changes(s, source) for s in batch)):
                batch.append(source)
                break
        else:
            mine.append([source])
            batches.append(mine[-1])
    return sorted(batches, key=lambda b: -sum(s.size for s in b))


def command(batch, output):
    """How the sources of a batch are compiled, and what is compiled then."""
    includes = dict.fromkeys(i for s in batch for i in s.includes)
    source = os.path.splitext(output)[0] + ".cpp"
    with open(source, "w", encoding="utf-8") as f:
        f.writelines(f'#include "{s.path}"\n' for s in batch)
    words = [*batch[0].flags, *(w for i in includes for w in i)]
    return [*words, "-o", output, source]


def compile_all(sources, characters, folder, run):
    """Objects of these sources, made in this folder by run(words), which says whether it went well; and how often
    a batch had to be split."""
    os.makedirs(folder, exist_ok=True)
    split = []

    def compile_one(batch, name):
        output = os.path.join(folder, name + ".o")
        if run(command(batch, output), len(batch) == 1):
            return [output]
        split.append(name)
        half = len(batch) // 2
        return compile_one(batch[:half], name + "a") + compile_one(batch[half:], name + "b")

    batches = plan(sources, characters)
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        made = pool.map(compile_one, batches, (f"{b[0].object.split('/')[0]}-{i}" for i, b in enumerate(batches)))
        return [o for objects in made for o in objects], split
