"""A web application on FastAPI and SQLAlchemy's asyncio: a shop's items and orders."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel
from sqlalchemy import ForeignKey, func, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Base(DeclarativeBase):
    """The base of the shop's classes."""


class Item(Base):
    """What is sold."""

    __tablename__ = "item"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    price: Mapped[int]
    orders: Mapped[list[Order]] = relationship(back_populates="item", order_by="Order.id")


class Order(Base):
    """How many of an item were sold."""

    __tablename__ = "order_of_item"

    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    count: Mapped[int]
    item: Mapped[Item] = relationship(back_populates="orders")


class NewItem(BaseModel):
    """The body of a request that adds an item."""

    name: str
    price: int


async def session_of(request: Request) -> AsyncIterator[AsyncSession]:
    """A session for the time of a request."""
    async with request.app.state.sessions() as session:
        yield session


Session = Annotated[AsyncSession, Depends(session_of)]


def shop(url: str) -> FastAPI:
    """The application on the database that the URL names, whose tables it makes when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.engine = create_async_engine(url)
        app.state.sessions = async_sessionmaker(app.state.engine)
        async with app.state.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        yield
        await app.state.engine.dispose()

    app = FastAPI(lifespan=lifespan)

    @app.post("/items", status_code=201)
    async def add_item(item: NewItem, session: Session) -> dict[str, Any]:
        if await session.scalar(select(Item.id).where(Item.name == item.name)):
            raise HTTPException(409, f"there is an item {item.name}")
        added = Item(name=item.name, price=item.price)
        session.add(added)
        await session.commit()
        await session.refresh(added)
        return {"id": added.id, "name": added.name, "price": added.price}

    @app.get("/items")
    async def items(session: Session, at_most: int = 1000) -> list[dict[str, Any]]:
        cheap = select(Item).where(Item.price <= at_most).options(selectinload(Item.orders)).order_by(Item.id)
        return [
            {"name": item.name, "price": item.price, "sold": [order.count for order in item.orders]}
            for item in await session.scalars(cheap)
        ]

    @app.post("/items/{item_id}/orders", status_code=201)
    async def order(item_id: int, count: int, session: Session) -> dict[str, Any]:
        if await session.get(Item, item_id) is None:
            raise HTTPException(404, "there is no such item")
        session.add(Order(item_id=item_id, count=count))
        await session.commit()
        return {"ordered": count}

    @app.get("/sales")
    async def sales(session: Session) -> dict[str, Any]:
        total = select(func.count(Order.id), func.sum(Order.count * Item.price)).join(Order.item)
        orders, turnover = (await session.execute(total)).one()
        return {"orders": orders, "turnover": turnover}

    return app
