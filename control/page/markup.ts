// The page before the first event. Everything else is made by client/, from data and as text, never as markup.

export const markup = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>groupwire</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/uplot.css">
<link rel="stylesheet" href="/page.css">
<script src="/uplot.js" defer></script>
<script src="/client/main.js" type="module"></script>
</head>
<body>
<header>
<h1 id="name">groupwire</h1>
<p id="about"></p>
<p id="link" role="status" data-health="unknown">connecting</p>
</header>
<noscript><p>This page needs JavaScript. <code>groupwire show crypto gdoi</code> and <a href="/metrics">/metrics</a> say the same without.</p></noscript>
<main>
<section id="groups" aria-label="Groups"></section>
<section aria-label="Traffic">
<h2>Traffic</h2>
<p><label>Interface <select id="interface"></select></label></p>
<div class="plots">
<figure><figcaption>Throughput, bit/s</figcaption><div id="plot-throughput"></div></figure>
<figure><figcaption>Packets a second</figcaption><div id="plot-packets"></div></figure>
<figure><figcaption>Drops a second, all reasons</figcaption><div id="plot-drops"></div></figure>
<figure><figcaption>Packets in queues</figcaption><div id="plot-queues"></div></figure>
</div>
</section>
<section aria-label="Security associations"><h2>Security associations</h2><div class="scroll" id="sas"></div></section>
<section aria-label="Drops"><h2>Drops</h2><div class="scroll" id="drops"></div></section>
</main>
<footer><a href="/metrics">metrics</a></footer>
</body>
</html>
`;
