#!/usr/bin/env python3
"""ALBERT's pre-training step in PyTorch, the peer of the native one. It needs torch alone.

    yes | head -5 | python3 torch_albert.py --batch 8 --sequence 128 [--threads N] [--bf16] [--lengths FILE]

The same work as a native step: embeddings, one shared layer applied L times, masked-LM logits at the masked positions
only, the sentence-order head, both losses, backward, clipping, AdamW. With --lengths (a sequence length a line) a batch
is padded to its longest sequence, as the collators of transformers do, and real tokens are counted.

It warms up, prints its name, and for each line that it reads takes steps for half a second, at least one, and prints
tokens/s.
"""
import argparse
import math
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn


class Layer(nn.Module):
    def __init__(self, hidden, intermediate, heads):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.dense = (nn.Linear(hidden, hidden) for _ in range(4))
        self.attention_layer_norm = nn.LayerNorm(hidden, 1e-12)
        self.ffn, self.ffn_output = nn.Linear(hidden, intermediate), nn.Linear(intermediate, hidden)
        self.full_layer_layer_norm = nn.LayerNorm(hidden, 1e-12)

    def forward(self, x, bias):
        query, key, value = (
            linear(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for linear in (self.query, self.key, self.value)
        )
        mask = None if bias is None else bias.to(query.dtype)
        context = F.scaled_dot_product_attention(query, key, value, attn_mask=mask).transpose(1, 2).flatten(2)
        x = self.attention_layer_norm(self.dense(context) + x)
        return self.full_layer_layer_norm(self.ffn_output(F.gelu(self.ffn(x), approximate="tanh")) + x)


class Albert(nn.Module):
    def __init__(self, a):
        super().__init__()
        self.layers = a.layers
        self.word, self.position = nn.Embedding(a.vocab, a.embedding), nn.Embedding(512, a.embedding)
        self.token_type = nn.Embedding(2, a.embedding)
        self.norm, self.mapping = nn.LayerNorm(a.embedding, 1e-12), nn.Linear(a.embedding, a.hidden)
        self.layer = Layer(a.hidden, a.intermediate, a.heads)
        self.pooler, self.sentence_order = nn.Linear(a.hidden, a.hidden), nn.Linear(a.hidden, 2)
        self.dense, self.head_norm = nn.Linear(a.hidden, a.embedding), nn.LayerNorm(a.embedding, 1e-12)
        self.bias = nn.Parameter(torch.zeros(a.vocab))
        for m in self.modules():
            if isinstance(m, (nn.Linear, nn.Embedding)):
                nn.init.normal_(m.weight, std=0.02)

    def forward(self, ids, types, bias, masked, labels, order):
        x = self.word(ids) + self.token_type(types) + self.position(torch.arange(ids.shape[1]))
        x = self.mapping(self.norm(x))
        for _ in range(self.layers):
            x = self.layer(x, bias)
        h = self.head_norm(F.gelu(self.dense(x.flatten(0, 1)[masked]), approximate="tanh"))
        logits = F.linear(h, self.word.weight, self.bias)
        sentences = self.sentence_order(torch.tanh(self.pooler(x[:, 0])))
        return F.cross_entropy(logits.float(), labels) + F.cross_entropy(sentences.float(), order)


def batch(a, lengths):
    """A random batch of sequences of those lengths, padded to the longest. Without padding there is no mask."""
    longest = max(lengths)
    mask = torch.arange(longest) < torch.tensor(lengths)[:, None]
    bias = None if mask.all() else torch.where(mask, 0.0, -math.inf)[:, None, None, :]
    real = mask.flatten().nonzero()[:, 0]
    masked = real[torch.randperm(len(real))[: max(1, round(0.15 * len(real)))]]
    return (
        torch.randint(5, a.vocab, mask.shape),
        torch.zeros(mask.shape, dtype=torch.long),
        bias,
        masked,
        torch.randint(5, a.vocab, masked.shape),
        torch.randint(0, 2, (len(lengths),)),
    )


def main():
    parser = argparse.ArgumentParser()
    for name, default in (
        ("batch", 8), ("sequence", 128), ("threads", 2), ("vocab", 30000), ("embedding", 128), ("hidden", 768),
        ("intermediate", 3072), ("layers", 12), ("heads", 12),
    ):  # fmt: skip
        parser.add_argument("--" + name, type=int, default=default)
    parser.add_argument("--bf16", action="store_true")
    parser.add_argument("--lengths")
    a = parser.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(0)
    model = Albert(a)
    optimizer = torch.optim.AdamW(model.parameters(), 1e-4)

    def step(arguments):
        with torch.autocast("cpu", torch.bfloat16, enabled=a.bf16):
            loss = model(*arguments)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    batches = [[a.sequence] * a.batch]
    if a.lengths:
        with open(a.lengths) as file:
            lengths = [int(line) for line in file if line.strip()]
        batches = [lengths[i : i + a.batch] for i in range(0, len(lengths) - a.batch + 1, a.batch)]

    step(batch(a, max(batches, key=sum)))
    print("PyTorch", torch.__version__.split("+")[0], flush=True)
    n = 0
    for _ in sys.stdin:
        tokens, seconds = 0, 0.0
        while seconds < 0.5:
            lengths = batches[n % len(batches)]
            arguments = batch(a, lengths)
            begin = time.perf_counter()
            step(arguments)
            seconds += time.perf_counter() - begin
            tokens += sum(lengths)
            n += 1
        print(tokens / seconds, flush=True)


main()
