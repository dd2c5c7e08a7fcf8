"""Product feeds as rows of text, whatever they came as; knows nothing of Django or of merchants.

``reading.read`` finds the format out: Shopify's and WooCommerce's CSV, WooCommerce's JSON, Google's product feed as XML
(RSS 2.0 or Atom) or TSV, and any table with a heading. Each becomes a :class:`catalog.feeds.types.Sheet`.
"""
