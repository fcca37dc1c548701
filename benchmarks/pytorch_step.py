#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Training step and solving of a tiny recursive model in PyTorch (1.13 or later), written from the model's definition
(arXiv 2510.04871), to be timed beside the program `step`, whose options and lines of JSON it shares; see compare.py.

What is done is the same: embedding, H - 1 cycles without a gradient and one with, stablemax cross-entropy in float64 and the Q
head's loss, backward, AdamATan2, sparse puzzle rows with SignSGD, carry and halting. How, is chosen for speed:

  --weights copies  weights become bf16 once a step (as torch.autocast does; gradients of the applications are then summed in bf16)
            cast    in every linear layer, as published (sums in float32)
  --attention sdpa  torch's scaled_dot_product_attention, where this version has it; math: two products and a softmax
  --compile         torch.compile of one network application (all layers), of the losses, and of the optimizer; not of the whole
                    recursion, which takes minutes to compile and is not faster. For solving the weights are constants of the
                    compiled code, packed once
  --check FILE      compares with what `step --record FILE` wrote: logits, losses, gradients, weights of two steps
"""
import argparse
import contextlib
import dataclasses
import json
import math
import os
import struct
import sys
import time

import torch
import torch.nn.functional as F

SUPERVISION_STEPS = 16
PUZZLES = 8


@dataclasses.dataclass
class Config:
    tokens: int
    vocab: int
    hidden: int = 512
    heads: int = 8
    layers: int = 2
    h_cycles: int = 3
    l_cycles: int = 6
    puzzle_positions: int = 16
    puzzle_width: int = 512
    mixer: bool = False
    expansion: float = 4
    epsilon: float = 1e-5

    @property
    def length(self):
        return self.puzzle_positions + self.tokens

    def inner(self, width):
        return -(-round(self.expansion * width * 2 / 3) // 256) * 256


SMALL = dict(tokens=16, vocab=12, hidden=128, heads=4, h_cycles=2, l_cycles=3)
MODELS = {
    "sudoku_attention": Config(81, 11),
    "sudoku_mixer": Config(81, 11, mixer=True),
    "arc": Config(900, 12, l_cycles=4),
    "small_32": Config(**SMALL, puzzle_positions=16, puzzle_width=16 * 128),
    "small_17": Config(**SMALL, puzzle_positions=1, puzzle_width=128),
}
PREFIX = "model.inner."
TABLE = PREFIX + "puzzle_emb.weights"


def layer_names(c, i):
    """Of the four matrices of layer i: mixing in and out, MLP in and out."""
    mix = ("mlp_t.gate_up_proj", "mlp_t.down_proj") if c.mixer else ("self_attn.qkv_proj", "self_attn.o_proj")
    return [f"{PREFIX}L_level.layers.{i}.{n}.weight" for n in (*mix, "mlp.gate_up_proj", "mlp.down_proj")]


def parameter_shapes(c):
    d, inner, t = c.hidden, c.inner(c.hidden), c.length
    mix = [(2 * c.inner(t), t), (t, c.inner(t))] if c.mixer else [(3 * d, d), (d, d)]
    shapes = {PREFIX + "embed_tokens.embedding_weight": (c.vocab, d), PREFIX + "lm_head.weight": (c.vocab, d),
              PREFIX + "q_head.weight": (2, d), PREFIX + "q_head.bias": (2,)}
    for i in range(c.layers):
        shapes.update(zip(layer_names(c, i), [*mix, (2 * inner, d), (d, inner)]))
    return shapes


# ---- the model ----

def rms_norm(x, epsilon):
    y = x.float()
    return (y * torch.rsqrt(y.square().mean(-1, keepdim=True) + epsilon)).to(x.dtype)


def linear(x, w):
    return F.linear(x, w.to(x.dtype))


def swiglu(x, gate_up, down):
    gate, up = linear(x, gate_up).chunk(2, -1)
    return linear(F.silu(gate) * up, down)


def rotate(x, cos, sin):  # [B, T, heads, width]
    y = x.float()
    half = y.shape[-1] // 2
    return (y * cos + torch.cat((-y[..., half:], y[..., :half]), -1) * sin).to(x.dtype)


def attention(x, qkv, out, heads, cos, sin, sdpa):
    b, t, d = x.shape
    q, k, v = linear(x, qkv).view(b, t, 3 * heads, d // heads).split(heads, 2)
    q, k, v = (y.transpose(1, 2) for y in (rotate(q, cos, sin), rotate(k, cos, sin), v))  # [B, heads, T, width]
    if sdpa:
        y = F.scaled_dot_product_attention(q, k, v)
    else:
        y = torch.softmax(q @ k.transpose(-1, -2) * (d // heads) ** -0.5, -1) @ v
    return linear(y.transpose(1, 2).reshape(b, t, d), out)


def make_network(c, sdpa):
    """network(h, weights of all layers, cos, sin)"""
    def network(h, weights, cos, sin):
        for i in range(c.layers):
            mix_in, mix_out, mlp_in, mlp_out = weights[4 * i:4 * i + 4]
            if c.mixer:
                x = h.transpose(1, 2)
                h = rms_norm(x + swiglu(x, mix_in, mix_out), c.epsilon).transpose(1, 2)
            else:
                h = rms_norm(h + attention(h, mix_in, mix_out, c.heads, cos, sin, sdpa), c.epsilon)
            h = rms_norm(h + swiglu(h, mlp_in, mlp_out), c.epsilon)
        return h
    return network


def stablemax_losses(logits, labels):
    """Of each position, and which are right."""
    x = logits.double()
    s = torch.where(x < 0, 1 / (1 - x), x + 1)
    probability = s.gather(-1, labels.unsqueeze(-1)).squeeze(-1) / s.sum(-1)
    return -probability.log(), logits.argmax(-1) == labels


def losses(logits, q, labels):
    """Sum over the samples; every token is supervised."""
    each, right = stablemax_losses(logits, labels)
    exact = right.all(-1)
    halt = F.binary_cross_entropy_with_logits(q[:, 0], exact.to(q.dtype), reduction="sum")
    return each.mean(-1).sum() + 0.5 * halt


def adam_atan2(parameters, gradients, first, second, rate, decay, beta1, beta2, correction1, correction2):
    for p, g, m, v in zip(parameters, gradients, first, second):
        m.mul_(beta1).add_(g, alpha=1 - beta1)
        v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        p.mul_(1 - rate * decay).sub_(torch.atan2(m, v.sqrt() / correction2) * (rate / correction1))


def sign_sgd(table, ids, gradients, rate, decay):
    rows, where = ids.unique(return_inverse=True)
    total = torch.zeros(len(rows), table.shape[1]).index_add_(0, where, gradients)
    table[rows] = table[rows] * (1 - rate * decay) - rate * total.sign()


# ---- what is timed ----

class Session:
    def __init__(self, o):
        self.o, self.c = o, MODELS[o.model]
        c = self.c
        self.type = torch.bfloat16 if o.type == "bf16" else torch.float32
        torch.manual_seed(0)
        self.parameters = {}
        for name, shape in parameter_shapes(c).items():
            p = torch.nn.init.trunc_normal_(torch.empty(shape), std=shape[-1] ** -0.5, a=-2, b=2)
            self.parameters[name] = p.requires_grad_(o.what == "train")
        with torch.no_grad():
            self.parameters[PREFIX + "q_head.weight"].zero_()
            self.parameters[PREFIX + "q_head.bias"].fill_(-5)
        self.initial = {s: torch.randn(c.hidden).clamp(-2, 2) for s in "HL"}
        self.table = torch.randn(PUZZLES, c.puzzle_width) * 0.1
        angles = torch.outer(torch.arange(c.length).float(), 10000 ** -(torch.arange(0, c.hidden // c.heads, 2).float() / (c.hidden // c.heads)))
        angles = torch.cat((angles, angles), -1).unsqueeze(1)  # [T, 1, width of a head]
        self.cos, self.sin = angles.cos(), angles.sin()
        self.inputs = torch.randint(c.vocab, (o.batch, c.tokens))
        self.labels = torch.randint(c.vocab, (o.batch, c.tokens))
        self.ids = torch.randint(PUZZLES, (o.batch,))
        self.network = make_network(c, o.attention == "sdpa" and hasattr(F, "scaled_dot_product_attention"))
        self.losses, self.adam = losses, adam_atan2
        if o.compile:
            self.losses = torch.compile(losses, dynamic=False)
            self.adam = torch.compile(adam_atan2, dynamic=False)
            self.network = torch.compile(self.network, dynamic=False)

    def prepared(self):
        """The parameters in the compute type, where they are to be copied."""
        if self.o.weights == "cast":
            return self.parameters
        return {name: p.to(self.type) for name, p in self.parameters.items()}

    def layers_of(self, weights):
        return [weights[n] for i in range(self.c.layers) for n in layer_names(self.c, i)]

    def embed(self, weights, inputs, rows):
        c = self.c
        # Cast first, then gather, as published: where a gradient is wanted it then is one of the table.
        e = F.embedding(inputs, weights[PREFIX + "embed_tokens.embedding_weight"].to(self.type))
        rows = F.pad(rows.to(self.type), (0, c.puzzle_positions * c.hidden - c.puzzle_width))
        return math.sqrt(c.hidden) * torch.cat((rows.view(-1, c.puzzle_positions, c.hidden), e), 1)

    def cycle(self, h, l, x, layers):
        for _ in range(self.c.l_cycles):
            l = self.network(l + (h + x), layers, self.cos, self.sin)
        return self.network(h + l, layers, self.cos, self.sin), l

    def heads(self, h, weights):
        q = F.linear(h[:, 0], weights[PREFIX + "q_head.weight"].to(h.dtype), weights[PREFIX + "q_head.bias"].to(h.dtype))
        return linear(h[:, self.c.puzzle_positions:], weights[PREFIX + "lm_head.weight"]), q.float()

    def bytes(self):
        kept = [*self.parameters.values(), self.table, *self.initial.values(), self.cos, self.sin, self.inputs, self.labels]
        return kept


class Training(Session):
    def __init__(self, o):
        super().__init__(o)
        c = self.c
        self.first = [torch.zeros_like(p) for p in self.parameters.values()]
        self.second = [torch.zeros_like(p) for p in self.parameters.values()]
        shape = (o.batch, c.length, c.hidden)
        self.h, self.l = torch.zeros(shape, dtype=self.type), torch.zeros(shape, dtype=self.type)
        self.halted = torch.ones(o.batch, dtype=torch.bool)
        self.steps = torch.zeros(o.batch, dtype=torch.int32)
        self.data = [torch.zeros_like(x) for x in (self.inputs, self.labels, self.ids)]
        self.step = 0

    def forward_backward(self):
        fresh = self.halted.view(-1, 1)
        self.data = [torch.where(fresh.view(-1, *[1] * (old.dim() - 1)), new, old)
                     for new, old in zip((self.inputs, self.labels, self.ids), self.data)]
        inputs, labels, ids = self.data
        h = torch.where(fresh.unsqueeze(-1), self.initial["H"].to(self.type), self.h)
        l = torch.where(fresh.unsqueeze(-1), self.initial["L"].to(self.type), self.l)
        self.steps = torch.where(self.halted, 0, self.steps) + 1
        rows = self.table[ids].requires_grad_()
        weights = self.prepared()
        layers = self.layers_of(weights)
        x = self.embed(weights, inputs, rows)
        with torch.no_grad():
            plain = [w.detach() for w in layers]
            for _ in range(self.c.h_cycles - 1):
                h, l = self.cycle(h, l, x.detach(), plain)
        h, l = self.cycle(h, l, x, layers)
        self.logits, q = self.heads(h, weights)
        loss = self.losses(self.logits, q, labels)
        (loss / len(inputs)).backward()
        self.h, self.l = h.detach(), l.detach()
        with torch.no_grad():
            least = (torch.rand(len(inputs)) < 0.1) * torch.randint(2, SUPERVISION_STEPS + 1, (len(inputs),))
            self.halted = (self.steps >= SUPERVISION_STEPS) | (q[:, 0] > 0) & (self.steps >= least)
        self.rows, self.loss = rows, loss.detach()

    @torch.no_grad()
    def update(self):
        self.step += 1
        b1, b2 = 0.9, 0.95
        parameters = list(self.parameters.values())
        scale = [1 - b1 ** self.step, math.sqrt(1 - b2 ** self.step)]
        if self.o.compile:  # as tensors: numbers would be constants of the compiled code, which then is made anew at each step
            scale = [torch.tensor(s, dtype=torch.float32) for s in scale]
        self.adam(parameters, [p.grad for p in parameters], self.first, self.second, 1e-4, 0.1, b1, b2, *scale)
        sign_sgd(self.table, self.data[2], self.rows.grad, 1e-2, 0.1)
        self.rows = None

    def run(self):
        for p in self.parameters.values():
            p.grad = None
        self.logits = None
        self.forward_backward()
        self.update()
        return float(self.loss)


class Solving(Session):
    def __init__(self, o):
        super().__init__(o)
        self.weights = {name: p.to(self.type) for name, p in self.parameters.items()}
        if o.compile:
            self.network = torch.compile(Frozen(self), dynamic=False, options={"freezing": True})

    def run(self):
        with torch.inference_mode() if not self.o.compile else torch.no_grad():
            layers = self.layers_of(self.weights)
            h = self.initial["H"].to(self.type).expand(1, self.c.length, -1).contiguous()
            l = self.initial["L"].to(self.type).expand(1, self.c.length, -1).contiguous()
            for _ in range(SUPERVISION_STEPS):
                x = self.embed(self.weights, self.inputs, self.table[self.ids])
                for _ in range(self.c.h_cycles):
                    h, l = self.cycle(h, l, x, layers)
                logits, _ = self.heads(h, self.weights)
                prediction, each = logits.argmax(-1), stablemax_losses(logits, self.labels)[0]
            return float(each.mean())


class Frozen(torch.nn.Module):
    """The network with its weights inside: torch.compile may pack them."""

    def __init__(self, session):
        super().__init__()
        self.network = make_network(session.c, session.o.attention == "sdpa")
        self.layers = torch.nn.ParameterList([torch.nn.Parameter(w, requires_grad=False) for w in session.layers_of(session.weights)])
        self.register_buffer("cos", session.cos)
        self.register_buffer("sin", session.sin)

    def forward(self, h, *_):
        return self.network(h, list(self.layers), self.cos, self.sin)


# ---- memory ----

def status(key):
    try:
        for line in open("/proc/self/status"):
            if line.startswith(key):
                return 1024 * int(line.split()[1])
    except OSError:
        pass
    return 0


def give_back():
    """What was freed, to the system."""
    import ctypes
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def measure_memory(session):
    """Bytes of the tensors that stay between steps, and what a step adds to the resident memory at its highest. So counted, the
    program, its libraries and what a compiler has left behind are not in it."""
    kept = session.bytes()
    if isinstance(session, Training):
        for p in session.parameters.values():
            p.grad = None
        session.logits = None
        kept += [*session.first, *session.second, session.h, session.l]
    give_back()
    try:
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")  # the highest begins anew
    except OSError:
        return {"peak_bytes": None}
    before = status("VmRSS:")
    session.run()
    return {"peak_bytes": sum(t.numel() * t.element_size() for t in kept) + status("VmHWM:") - before}


# ---- comparison ----

def read_safetensors(path):
    types = {"F32": torch.float32, "I32": torch.int32}
    with open(path, "rb") as f:
        data = f.read()
    size = struct.unpack("<Q", data[:8])[0]
    found = {}
    for name, about in json.loads(data[8:8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + x for x in about["data_offsets"])
        found[name] = torch.frombuffer(bytearray(data[begin:end]), dtype=types[about["dtype"]]).view(about["shape"])
    return found


def check(session, path, bound):
    """Distance of every tensor that was recorded: norm of the difference over the norm."""
    recorded = read_safetensors(path)
    with torch.no_grad():
        for name, p in session.parameters.items():
            p.copy_(recorded["before." + name])
        session.table.copy_(recorded["before." + TABLE])
        for s in "HL":
            session.initial[s] = recorded[f"before.{PREFIX}{s}_init"].clone()
    session.inputs, session.labels = recorded["inputs"].long(), recorded["labels"].long()
    session.ids = recorded["identifiers"].long()
    worst = 0

    def compare(what, pairs):
        nonlocal worst
        distances = {}
        for name, ours in pairs.items():
            theirs = recorded[name].double().flatten()
            distances[name] = float((ours.detach().double().flatten() - theirs).norm() / theirs.norm().clamp_min(1e-30))
        name = max(distances, key=distances.get)
        worst = max(worst, distances[name])
        print(f"  {what:24} {distances[name]:.1e}   ({name})")

    for step in (1, 2):
        at = f"step{step}."
        for p in session.parameters.values():
            p.grad = None
        session.forward_backward()
        compare(at + "logits", {at + "logits": session.logits})
        compare(at + "loss", {at + "loss": session.loss.reshape(1)})
        compare(at + "gradients", {**{at + "gradient." + n: p.grad for n, p in session.parameters.items()},
                                   at + "gradient.puzzle": session.rows.grad})
        session.update()
        compare(at + "weights", {**{at + n: p for n, p in session.parameters.items()}, at + TABLE: session.table})
        if step == 1:
            first = worst
    print(f"  largest: first step {first:.1e}, with the second {worst:.1e}; the first must be within {bound:.0e}")
    return first <= bound


def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", choices=MODELS, default="sudoku_attention")
    p.add_argument("--type", choices=["float32", "bf16"], default="float32")
    p.add_argument("--what", choices=["train", "solve"], default="train")
    p.add_argument("--batch", type=int, default=8)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--weights", choices=["copies", "cast"], default="copies")
    p.add_argument("--attention", choices=["sdpa", "math"], default="sdpa")
    p.add_argument("--compile", action="store_true")
    p.add_argument("--serve", action="store_true")
    p.add_argument("--check", metavar="FILE")
    o = p.parse_args()
    if o.what == "solve":
        o.batch = 1
    return o


def main():
    o = parse()
    torch.set_num_threads(o.threads)
    session = Training(o) if o.what == "train" else Solving(o)
    if o.check:
        return 0 if check(session, o.check, 1e-4) else 1

    def timed():
        wall, cpu = time.perf_counter(), time.process_time()
        loss = session.run()
        return {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu, "loss": loss}

    begin = time.perf_counter()
    for _ in range(2 if o.compile else 1):
        session.run()
    about = {"program": "pytorch", "version": torch.__version__, "python": sys.version.split()[0], "model": o.model, "type": o.type,
             "what": o.what, "batch": o.batch, "threads": o.threads, "compiled": o.compile, "weights": o.weights,
             "attention": o.attention, "warm_up_s": time.perf_counter() - begin}
    if not o.serve:
        print(json.dumps(about))
        for _ in range(o.rounds):
            print(json.dumps(timed()))
        print(json.dumps(measure_memory(session)))
        return 0
    # The protocol's lines alone go to the standard output; what a compiler prints goes with the errors.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(line):
        answers.write(json.dumps(line) + "\n")
        answers.flush()

    answer(about)
    for line in sys.stdin:
        what = line.strip()
        if what not in ("run", "memory"):
            raise SystemExit(f"pytorch_step.py: run or memory are wanted, not {what!r}")
        answer(timed() if what == "run" else measure_memory(session))
    return 0


if __name__ == "__main__":
    sys.exit(main())
